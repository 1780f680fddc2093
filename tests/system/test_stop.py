"""The end of the daemon: what is finished, what is cut, what waits in queues, and what it says."""

import http.client
import signal
import threading
from contextlib import closing

import pytest
from lbd_process import Lbd, borrowed, until
from load import Load, answer, ask, connect
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
%s
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""
MORE = '[listeners.more]\nbind = "127.0.0.1:$more"\nbackend = "app"'


@pytest.fixture
def origin():
    with Origin("a") as server:
        yield server


@pytest.fixture
def text(origin):
    return lambda more="": TEXT % (more, origin.port)


def held(lbd, origin, outcomes):
    """A request that the server holds, in a thread that notes how it ends."""
    def get():
        try:
            outcomes.append(lbd.get("web", "/held")[0])
        except (OSError, http.client.HTTPException) as error:
            outcomes.append(type(error))

    thread = threading.Thread(target=get)
    thread.start()
    assert origin.held.acquire(timeout=20)
    return thread


@pytest.mark.parametrize("once", [False, True], ids=["keep-alive", "connection-each"])
def test_a_stop_under_load_loses_nothing(text, origin, once):
    with Lbd(text()) as lbd:
        with Load(lbd.port("web"), connections=16, once=once) as load:
            until(lambda: load.total > 200, "some answers")
            lbd.send(signal.SIGTERM)
            assert lbd.wait() == 0
        assert load.lost == 0
        assert set(load.answered) == {200}
        assert load.total == origin.requests


def test_the_drain_timeout_cuts(text, origin):
    outcomes = []
    with Lbd(text(), settings='drain_timeout = "300ms"') as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGTERM)
        thread.join()
        assert outcomes != [200]
        assert lbd.wait() == 0
        assert [event["reason"] for event in lbd.logged("worker ended")] == ["exit code 0"] * 2


def test_a_request_that_ends_in_time_is_answered_whole(text, origin):
    outcomes = []
    with Lbd(text()) as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGTERM)
        until(lambda: len(lbd.logged("worker ended")) == 1, "the worker without a request ended")
        assert thread.is_alive()
        origin.release.set()
        thread.join()
        assert outcomes == [200]
        assert lbd.wait() == 0


def stopped(lbd):
    """Workers that stand still, so that connections wait in the accept queues."""
    pids = lbd.workers()
    for pid in pids:
        lbd.signal_worker(pid, signal.SIGSTOP)
    return pids


def test_what_waits_in_an_accept_queue_is_served_before_the_end(text):
    with Lbd(text()) as lbd:
        workers = stopped(lbd)
        socks = [connect(lbd.port("web")) for _ in range(200)]
        for sock in socks:
            ask(sock)
        lbd.send(signal.SIGTERM)
        until(lambda: lbd.logged("stopping: no new connections; requests in flight finish"), "it stops")
        for pid in workers:
            lbd.signal_worker(pid, signal.SIGCONT)
        for sock in socks:
            with closing(sock):
                assert answer(sock)[0] == 200
        assert lbd.wait() == 0


def test_what_waits_at_a_listener_that_a_reload_removes_is_served(text):
    with borrowed(text(MORE)) as lbd:
        with Load(lbd.port("more"), connections=8, once=True) as load:
            until(lambda: load.total > 50, "some answers")
            lbd.write(text())
            assert lbd.admin("POST", "/v1/reload")[1]["generation"]
            until(lambda: load.refused, "the listener is gone")
        assert load.lost <= 1   # between the last accept and the close there is no way to look
        assert set(load.answered) == {200}


def test_no_reload_opens_a_listener_that_nobody_serves_any_more(text, origin):
    outcomes = []
    with Lbd(text()) as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGTERM)
        until(lambda: "no new connections" in lbd.log(), "it stops")
        lbd.write(text(MORE))
        assert lbd.admin("POST", "/v1/reload")[0] == 503
        lbd.send(signal.SIGHUP)
        until(lambda: "reload refused" in lbd.log(), "the signal is refused too")
        for name in ("web", "more"):
            with pytest.raises(ConnectionRefusedError):
                lbd.get(name)
        origin.release.set()
        thread.join()
        assert lbd.wait() == 0
    assert outcomes == [200]


def test_an_end_without_a_word_on_stderr(text):
    with Lbd(text()) as lbd:
        assert lbd.admin("GET", "/readyz")[0] == lbd.admin("GET", "/v1/status")[0] == 200
        assert lbd.metrics()
        assert lbd.stop() == 0
        assert len(lbd.log().splitlines()) == len(lbd.events())


def test_standard_descriptors_that_were_closed_at_the_start_do_no_harm_at_the_end(text):
    with Lbd(text(), prefix=("sh", "-c", 'exec "$@" <&- >&-', "sh")) as lbd:
        assert lbd.get("web", "/")[0] == 200
        lbd.send(signal.SIGTERM)
        assert lbd.wait() == 0


def test_a_signal_while_it_starts(text):
    with closing(Lbd(text())) as lbd:
        lbd.start(wait=False)
        until(lambda: lbd.logged("lbd starts"), "it begins")
        lbd.send(signal.SIGTERM)
        assert lbd.wait() == 0
        assert not lbd.workers()


def test_a_worker_that_dies_while_it_drains_does_not_keep_the_end_waiting(text, origin):
    outcomes = []
    with Lbd(text()) as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGTERM)
        until(lambda: len(lbd.logged("worker ended")) == 1, "the worker without a request ended")
        (pid,) = lbd.workers()
        lbd.signal_worker(pid, signal.SIGKILL)
        thread.join()
        assert outcomes != [200]
        assert lbd.wait() == 0


def test_a_shutdown_delay_that_ends_by_itself_cuts_nothing(text, origin):
    outcomes = []
    with Lbd(text(), settings='shutdown_delay = "200ms"\ndrain_timeout = "20s"') as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGTERM)
        until(lambda: lbd.logged("worker ended"), "the worker that has nothing in hand is gone")
        [stop] = lbd.logged("stopping: no new connections; requests in flight finish")
        assert stop["at_most_seconds"] == 20.0
        origin.release.set()
        thread.join()
        assert outcomes == [200]
        assert lbd.wait() == 0


def test_a_second_signal_during_the_delay_cuts(text, origin):
    outcomes = []
    with Lbd(text(), settings='shutdown_delay = "1h"') as lbd:
        thread = held(lbd, origin, outcomes)
        lbd.send(signal.SIGQUIT)
        until(lambda: lbd.logged("stopping soon; /readyz says 503"), "the delay has begun")
        lbd.send(signal.SIGTERM)
        thread.join()
        assert outcomes != [200]
        assert lbd.wait() == 0
