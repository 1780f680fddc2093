"""The fleet: it starts, changes its size, tells its workers, and ends."""

from lbd.workers.messages import UpdateEndpoints
from lbd.workers.worker_process import WorkerProcess
from tests.workers.owner import EMPTY


async def test_start_and_stop(make):
    fleet, _ = make()
    await fleet.start(EMPTY, 2)
    assert [process.lane for process in fleet.serving()] == [0, 1]
    await fleet.stop(5.0)
    assert fleet.processes() == []
    assert fleet.lanes.allocate() == 0


async def test_who_drains_is_told_of_servers_too(make, monkeypatch):
    fleet, _ = make()
    await fleet.start(EMPTY, 2)
    both, told = set(fleet.serving()), []
    monkeypatch.setattr(WorkerProcess, "send", lambda process, message, fds=(): told.append((process, message)))
    fleet.resize(1)
    fleet.update(())
    monkeypatch.undo()
    assert {process for process, message in told if isinstance(message, UpdateEndpoints)} == both
