"""The fleet: it starts, changes its size, tells its workers, and ends."""

import asyncio
import signal

from lbd.workers import fleet as module
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


async def test_workers_confirm_what_they_were_told(make, monkeypatch):
    fleet, _ = make()
    assert await fleet.confirm() == []
    await fleet.start(EMPTY, 2)
    first, second = fleet.serving()
    fleet.update(())
    assert await fleet.confirm() == []
    monkeypatch.setattr(module, "CONFIRM", 0.1)
    first.kill(signal.SIGSTOP)
    assert await fleet.confirm() == [first.pid]
    monkeypatch.setattr(module, "CONFIRM", 20.0)
    first.kill(signal.SIGCONT)
    assert await fleet.confirm() == []          # and the late answer is not taken for this one
    second.kill(signal.SIGSTOP)
    asyncio.get_running_loop().call_soon(second.kill, signal.SIGKILL)
    assert await fleet.confirm() == []
    await fleet.stop(5.0)
