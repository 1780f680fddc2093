"""The daemon's processes: start, crash, wedge, reload, stop."""

import signal
import threading

import pytest
from lbd_process import Backend, Lbd, until

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "%s"
health = { type = "http", path = "/healthz", interval = "100ms", fall = 1, rise = 1 }
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
    with Lbd(text()) as lbd:
        victim = lbd.workers()[0]
        lbd.signal_worker(victim, signal.SIGKILL)
        answers = [lbd.get("web")[0] for _ in range(50)]
        until(lambda: len(serving(lbd)) == 2 and victim not in lbd.workers(), "a replacement serves")
        assert answers == [200] * 50
        assert lbd.status()["worker_restarts"] == 1


def test_a_wedged_worker_is_replaced(text):
    with Lbd(text()) as lbd:
        victim = lbd.workers()[0]
        lbd.signal_worker(victim, signal.SIGSTOP)
        until(lambda: victim not in lbd.workers() and len(serving(lbd)) == 2, "it is replaced")
        assert lbd.logged("worker ended")[0]["reason"] == "stood still for 5 s"


def test_a_reload_by_signal_and_a_bad_one(text):
    with Lbd(text()) as lbd:
        lbd.write(text("round-robin"))
        lbd.send(signal.SIGHUP)
        until(lambda: lbd.status()["generation"] == 2, "generation 2")
        assert all(worker["generation"] == 2 for worker in serving(lbd))
        lbd.write(text("rund"))
        lbd.send(signal.SIGHUP)
        until(lambda: not lbd.status()["last_reload"]["success"], "the reload is refused")
        assert lbd.status()["generation"] == 2
        assert lbd.get("web")[0] == 200


def test_health_takes_a_server_out_and_back(text, backend):
    def health():
        return lbd.status()["backends"]["app"]["servers"]["a"]["health"]

    with Lbd(text()) as lbd:
        backend.healthy = False
        until(lambda: health() == "down" and lbd.get("web")[0] == 503, "down")
        backend.healthy = True
        until(lambda: health() == "up" and lbd.get("web")[0] == 200, "up")


def test_a_stop_finishes_what_is_in_flight(text, backend):
    got = []
    with Lbd(text()) as lbd:
        asking = threading.Thread(target=lambda: got.append(lbd.get("web", "/held")[0]))
        asking.start()
        assert backend.held.acquire(timeout=10)
        lbd.send(signal.SIGTERM)
        until(lambda: lbd.logged("stopping: no new connections; requests in flight finish"), "stopping")
        backend.release.set()
        asking.join()
        assert got == [200]
        assert lbd.wait() == 0
