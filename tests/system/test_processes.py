"""The daemon's processes: start, crash, wedge, reload, stop."""

import http.client
import signal
import threading
from contextlib import closing

import pytest
from lbd_process import Backend, Lbd, borrowed, until

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "%s"
health = { type = "http", path = "/healthz", interval = "100ms", timeout = "5s", fall = 1, rise = 1 }
servers = { a = "127.0.0.1:%d" }
"""


@pytest.fixture
def backend():
    with Backend("a") as server:
        yield server


@pytest.fixture
def text(backend):
    return lambda algorithm="least-connections": TEXT % (algorithm, backend.port)


def serving(lbd):
    return [worker for worker in lbd.status()["workers"] if worker["state"] == "serving"]


def refused(lbd):
    try:
        lbd.get("web")
    except ConnectionRefusedError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return False


def replaced(lbd, victim):
    until(lambda: len(serving(lbd)) == 2 and victim not in lbd.workers(), "a replacement serves")


def test_it_serves_tells_and_stops(text):
    with Lbd(text()) as lbd:
        assert lbd.get("web", "/x") == (200, {"server": "a", "path": "/x"})
        assert len(lbd.workers()) == len(serving(lbd)) == 2
        assert lbd.admin("GET", "/healthz") == (200, "ok\n")
        assert lbd.admin("GET", "/readyz") == (200, "ready\n")
        assert 'lbd_server_up{backend="app",server="a"} 1' in lbd.metrics()
        assert lbd.stop() == 0
        assert not (lbd.path / "admin.sock").exists()


def test_a_killed_worker_is_replaced_and_no_connection_refused(text):
    with borrowed(text()) as lbd:
        restarts = lbd.status()["worker_restarts"]
        victim = lbd.workers()[0]
        lbd.signal_worker(victim, signal.SIGKILL)
        answers = [lbd.get("web")[0] for _ in range(50)]
        replaced(lbd, victim)
        assert answers == [200] * 50
        assert lbd.status()["worker_restarts"] == restarts + 1


def test_a_reload_by_signal_and_a_bad_one(text):
    with borrowed(text()) as lbd:
        first = lbd.status()["generation"]
        lbd.write(text("round-robin"))
        lbd.send(signal.SIGHUP)
        until(lambda: lbd.logged("reloaded"), "the next generation is acknowledged by all")
        assert all(worker["generation"] == first + 1 for worker in serving(lbd))
        lbd.write(text("rund"))
        lbd.send(signal.SIGHUP)
        until(lambda: not lbd.status()["last_reload"]["success"], "the reload is refused")
        assert lbd.status()["generation"] == first + 1
        assert lbd.get("web")[0] == 200


def test_health_takes_a_server_out_and_back(text, backend):
    def health():
        return lbd.status()["backends"]["app"]["servers"]["a"]["health"]

    with borrowed(text()) as lbd:
        backend.healthy = False
        until(lambda: health() == "down" and lbd.get("web")[0] == 503, "down")
        backend.healthy = True
        until(lambda: health() == "up" and lbd.get("web")[0] == 200, "up")


def test_a_stop_finishes_what_is_in_flight(text, backend):
    got = []
    with Lbd(text()) as lbd:
        asking = threading.Thread(target=lambda: got.append(lbd.get("web", "/held")[0]))
        asking.start()
        assert backend.held.acquire(timeout=20)
        lbd.send(signal.SIGTERM)
        until(lambda: lbd.logged("stopping: no new connections; requests in flight finish"), "stopping")
        backend.release.set()
        asking.join()
        assert got == [200]
        assert lbd.wait() == 0


def test_new_clients_are_refused_while_it_drains_and_a_second_signal_cuts(text, backend):
    got = []

    def hold():
        try:
            got.append(lbd.get("web", "/held")[0])
        except (OSError, http.client.HTTPException) as error:
            got.append(type(error))

    with Lbd(text()) as lbd:
        asking = threading.Thread(target=hold)
        asking.start()
        assert backend.held.acquire(timeout=20)
        lbd.send(signal.SIGTERM)
        until(lambda: refused(lbd), "new clients are refused")
        assert asking.is_alive()
        lbd.send(signal.SIGTERM)
        asking.join()
        assert got != [200]
        assert lbd.wait() == 0


def test_readiness_goes_before_the_listeners_do(text):
    with Lbd(text(), settings='shutdown_delay = "1h"') as lbd:
        lbd.send(signal.SIGTERM)
        until(lambda: lbd.admin("GET", "/readyz") == (503, "stopping\n"), "not ready")
        assert lbd.get("web")[0] == 200
        lbd.send(signal.SIGTERM)
        assert lbd.wait() == 0


def test_listeners_come_go_and_stay_by_reload(text):
    second = text().replace("listeners.web", "listeners.more").replace("$web", "$more").split("[backends")[0]
    with borrowed(text()) as lbd:
        lbd.write(text() + second)
        generation = lbd.admin("POST", "/v1/reload")[1]["generation"]
        assert (lbd.get("web")[0], lbd.get("more")[0]) == (200, 200)
        lbd.write(second + "[backends" + text().split("[backends")[1])
        assert lbd.admin("POST", "/v1/reload")[1]["generation"] == generation + 1
        assert lbd.get("more")[0] == 200
        until(lambda: refused(lbd), "the listener that is gone refuses")


def test_a_name_as_server(text, backend):
    with borrowed(text().replace(f"127.0.0.1:{backend.port}", f"localhost:{backend.port}")) as lbd:
        until(lambda: lbd.get("web")[0] == 200, "the name leads to the server")


def test_two_daemons_do_not_share_an_address(text):
    with borrowed(text()) as first, closing(Lbd(text(), ports={"web": first.port("web")})) as second:
        second.start(wait=False)
        assert second.wait() == 1
        assert "the address is in use by" in second.log()


def test_no_request_fails_while_workers_die_one_after_the_other(text):
    with borrowed(text()) as lbd:
        for _ in range(3):
            victim = lbd.workers()[0]
            lbd.signal_worker(victim, signal.SIGKILL)
            assert [lbd.get("web")[0] for _ in range(20)] == [200] * 20
            replaced(lbd, victim)
        until(lambda: lbd.status()["backends"]["app"]["servers"]["a"]["in_flight"] == 0, "nothing is in flight")
        assert lbd.status()["backends"]["app"]["servers"]["a"]["requests"] >= 60
