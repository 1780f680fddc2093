"""lbd.cli.screen.poller: one question at a time, and the events one after the other."""

import pytest

from lbd.cli.daemon_client import DaemonClient
from lbd.cli.screen.poller import DaemonPoller
from lbd.errors import LbdError
from lbd.schema import units as u


class Threadless:
    """An application that runs its workers when the test says so."""

    def __init__(self):
        self.workers = []

    def run_worker(self, worker, thread, group):
        self.workers.append(worker)

    def call_from_thread(self, function, *args):
        function(*args)


@pytest.fixture
def outcomes():
    return []


@pytest.fixture
def poller(fake_daemon, outcomes):
    daemon = DaemonClient(u.ADDRESS.parse(fake_daemon.bind))
    return DaemonPoller(Threadless(), daemon, lambda: outcomes.append("status"), outcomes.append)


def test_a_poll_waits_for_the_one_before(poller, fake_daemon, outcomes):
    fake_daemon.answers["GET", "/v1/status?history=true"] = 200, {"generation": 1}
    fake_daemon.answers["GET", "/v1/events?since=0"] = 200, {"events": [{"number": 4}], "last": 4}
    fake_daemon.answers["GET", "/v1/events?since=4"] = 200, {"events": [{"number": 5}], "last": 5}
    for _ in range(2):
        poller.poll()
        poller.poll()
        [worker] = poller._app.workers
        poller._app.workers.clear()
        worker()
    assert outcomes == ["status", "status"]
    assert (poller.status, [event["number"] for event in poller.events]) == ({"generation": 1}, [4, 5])


def test_a_failure_keeps_the_last_answer(poller, fake_daemon, outcomes):
    fake_daemon.answers["GET", "/v1/status?history=true"] = 503, {"detail": "lbd is still starting"}
    poller.poll()
    poller._app.workers.pop()()
    assert outcomes == ["lbd is still starting"]
    assert poller.status == {}


def test_a_refused_change(poller, fake_daemon):
    fake_daemon.answers["PATCH", "/v1/backends/app/servers/a"] = 409, {"detail": "too many"}
    with pytest.raises(LbdError, match="too many"):
        poller.change_mode("app/a", "drain", "")
