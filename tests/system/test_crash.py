"""Workers that die or stand still under load: what is lost, what is not, and what the figures say afterwards."""

import os
import signal
from contextlib import closing

import pytest
from lbd_process import ROOT, Lbd, borrowed, until
from load import Load, answer, ask, connect
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "least-connections"
servers = { a = "127.0.0.1:%d", b = "127.0.0.1:%d" }
"""

# An algorithm that never comes back from choosing for one path.
ENDLESS = """
from lbd.backend.algorithm import Algorithm

class Endless(Algorithm):
    def rebuild(self, servers):
        self.servers = servers

    def pick(self, request):
        while request.target == b"/fatal":
            pass
        return self.servers[0]
"""


@pytest.fixture
def servers():
    with Origin("a") as a, Origin("b") as b:
        yield a, b


@pytest.fixture
def lbd(servers):
    with borrowed(TEXT % tuple(server.port for server in servers)) as daemon:
        yield daemon


def counted(lbd):
    """Requests by the metrics, and by the servers of the status."""
    return lbd.counted("lbd_requests_total{"), sum(
        server["requests"] for server in lbd.status()["backends"]["app"]["servers"].values())


@pytest.fixture
def before(lbd):
    """The counts before this test."""
    return counted(lbd)


def serving(lbd):
    return [worker for worker in lbd.status()["workers"] if worker["state"] == "serving"]


def whole(lbd, without=()):
    until(lambda: len(serving(lbd)) == 2 and not set(without) & set(lbd.workers()), "two workers serve")


def answers(load, more=100):
    goal = load.total + more
    until(lambda: load.total >= goal, f"{more} more answers")


def settled(lbd, before, answered, lost, servers, killed=0):
    """Nothing is in flight, and what was counted is what was answered, give or take what was lost.

    An answer is counted once it is sent, so that of each worker that is killed one may have come and not be counted.
    """
    def quiet():
        status = lbd.status()
        return not (status["backends"]["app"]["requests_in_flight"] or status["listeners"]["web"]["connections"]
                    or any(server["in_flight"] for server in status["backends"]["app"]["servers"].values()))

    until(quiet, "nothing is in flight")
    for now, then in zip(counted(lbd), before, strict=True):
        assert answered - killed <= now - then <= answered + lost
    assert answered <= sum(server.requests for server in servers) <= answered + lost
    assert lbd.counted('lbd_server_in_flight{backend="app",server="a"}') == 0


def test_figures_add_up_over_all_workers(lbd, servers, before):
    served = sum(worker["requests"] for worker in serving(lbd))
    with Load(lbd.port("web"), connections=16) as load:
        answers(load, 1000)
    assert load.refused == load.lost == 0
    assert set(load.answered) == {200}
    assert sum(worker["requests"] for worker in serving(lbd)) - served == load.total
    settled(lbd, before, load.total, 0, servers)


@pytest.mark.parametrize("once", [False, True], ids=["keep-alive", "connection-each"])
def test_a_killed_worker_costs_only_what_it_had_in_hand(lbd, servers, before, once):
    restarts = lbd.status()["worker_restarts"]
    with Load(lbd.port("web"), connections=24, once=once) as load:
        lost = 0
        for _ in range(2):
            answers(load)
            if not once:   # workers write down ten times a second how many connections they have
                until(lambda: sum(worker["connections"] for worker in serving(lbd)) == 24, "all are connected")
            victim = serving(lbd)[0]
            lbd.signal_worker(victim["pid"], signal.SIGKILL)
            lost += 24 if once else victim["connections"]
            whole(lbd, [victim["pid"]])
            answers(load)
    assert load.refused == 0
    assert load.lost <= lost
    assert set(load.answered) == {200}
    settled(lbd, before, load.total, load.lost, servers, killed=2)
    assert lbd.status()["worker_restarts"] == restarts + 2


def test_both_workers_dead_at_once_refuse_nobody(lbd, servers, before):
    with Load(lbd.port("web"), connections=8, once=True) as load:
        answers(load)
        victims = lbd.workers()
        for victim in victims:
            lbd.signal_worker(victim, signal.SIGKILL)
        whole(lbd, victims)
        answers(load)
    assert load.refused == 0
    assert load.lost <= 8
    settled(lbd, before, load.total, load.lost, servers, killed=2)


@pytest.mark.slow
def test_a_worker_that_stands_still_shows_its_stack_and_loses_only_its_own(lbd, servers, before):
    victim = lbd.workers()[0]
    lbd.signal_worker(victim, signal.SIGSTOP)
    until(lambda: lbd.logged("worker ended"), "it is ended")
    assert lbd.logged("worker ended")[0]["reason"] == "stood still for 5 s"
    whole(lbd, [victim])
    assert "Stack (most recent call first)" in lbd.log()
    assert "lbd/control/worker.py" in lbd.log()
    with Load(lbd.port("web"), connections=4) as load:
        answers(load)
    assert load.refused == load.lost == 0
    settled(lbd, before, load.total, 0, servers)


@pytest.mark.slow
def test_a_worker_that_an_own_algorithm_keeps_busy_for_ever_is_replaced(servers, tmp_path):
    (tmp_path / "endless.py").write_text(ENDLESS)
    text = TEXT.replace("least-connections", "endless:Endless") % tuple(server.port for server in servers)
    with Lbd(text, environment={"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}) as lbd:
        assert lbd.get("web")[0] == 200
        with closing(connect(lbd.port("web"))) as fatal:
            ask(fatal, "/fatal")
            until(lambda: lbd.logged("worker ended"), "it is ended")
            assert lbd.logged("worker ended")[0]["reason"] == "stood still for 5 s"
            assert "endless.py" in lbd.log()   # the stack says where
            whole(lbd)
        assert lbd.get("web")[0] == 200
        assert lbd.status()["worker_restarts"] == 1


def test_what_waits_in_a_dead_workers_accept_queue_is_served(lbd):
    victims = lbd.workers()
    for victim in victims:
        lbd.signal_worker(victim, signal.SIGSTOP)
    socks = [connect(lbd.port("web")) for _ in range(20)]
    for sock in socks:
        ask(sock)
    for victim in victims:
        lbd.signal_worker(victim, signal.SIGKILL)
    for sock in socks:
        with closing(sock):
            assert answer(sock)[0] == 200
