"""The fleet: pings find who stands still, versions must match, a hopeless start is given up."""

import asyncio
import signal

import pytest

from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.net.tasks import Tasks
from lbd.process import fleet as module
from lbd.process.fleet import Fleet
from lbd.process.messages import UpdateEndpoints
from lbd.process.policy import SILENT
from lbd.process.sockets import Sockets
from lbd.process.worker_process import WorkerProcess
from lbd.schema import Config
from lbd.stats.scoreboard import Board
from tests.waiting import until

EMPTY = Generation(1, Config(), {}, {}, {}, {})


class World:
    """What surrounds the fleet."""

    def __init__(self):
        self.lines = []
        self.lanes = []
        self.suspects = []
        self.connections = 0.0      # that the world says were accepted: read before a life and after it

    def line(self, text):
        self.lines.append(text)

    def greeted(self, process):
        return

    def suspect(self, backend, server, address):
        self.suspects.append((backend, server, address))

    def moved(self, generation):
        return ()

    def replaced(self):
        """A worker of another version than ours."""

    def buried(self, lane):
        self.lanes.append(lane)

    def served(self, lane):
        return 0.0

    def accepted(self, lane):
        return self.connections


@pytest.fixture
async def make():
    made = []

    def make(layout=None, lanes=6):
        board, world, tasks = Board.create(lanes), World(), Tasks(lambda name, error: None)
        fleet = Fleet(tasks, Sockets(), board.fd, lanes, board.layout if layout is None else layout, "json", world)
        made.append((fleet, tasks, board))
        return fleet, world

    yield make
    async with asyncio.timeout(40):
        for fleet, tasks, _ in made:
            await fleet.stop(0.0)
            await tasks.cancel()


async def test_start_and_stop(make):
    fleet, world = make()
    await fleet.start(EMPTY, 2)
    assert [process.lane for process in fleet.serving()] == [0, 1]
    await fleet.stop(5.0)
    assert fleet.processes() == []
    assert sorted(world.lanes) == [0, 1]


async def test_a_worker_of_another_layout_never_serves(make):
    fleet, _ = make(layout=1)
    with pytest.raises(LbdError, match="no worker could start"):
        await fleet.start(EMPTY, 1)


async def test_who_does_not_answer_is_replaced(make, monkeypatch):
    monkeypatch.setattr(module, "LAST_WORDS", 0.0)
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    process.kill(signal.SIGSTOP)
    for _ in range(SILENT + 1):
        fleet.ping()
    await process.ended.wait()
    assert process.why == f"stood still for {SILENT} s"
    await until(lambda: fleet.serving() and fleet.serving()[0] is not process)


async def test_who_drains_is_told_of_servers_too(make, monkeypatch):
    fleet, _ = make()
    await fleet.start(EMPTY, 2)
    both, told = set(fleet.serving()), []
    monkeypatch.setattr(WorkerProcess, "send", lambda process, message, fds=(): told.append((process, message)))
    fleet.resize(1)
    fleet.update(())
    monkeypatch.undo()
    assert {process for process, message in told if isinstance(message, UpdateEndpoints)} == both


async def test_who_answers_is_left_alone(make):
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    for _ in range(3 * SILENT):
        fleet.ping()
        await until(lambda: process.unanswered == 0)
    assert not process.ended.is_set()


async def test_a_prepare_that_takes_too_long_is_refused(make, monkeypatch):
    monkeypatch.setattr(module, "PREPARE", 0.05)
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    process.kill(signal.SIGSTOP)
    with pytest.raises(LbdError, match=r"did not prepare generation 2 within 0\.05 s"):
        await fleet.prepare(Generation(2, Config(), {}, {}, {}, {}))
    process.kill(signal.SIGCONT)
    assert fleet.generation is EMPTY


async def test_cut_ends_all(make):
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    fleet._stopping = True
    fleet.cut()
    await process.ended.wait()


class Waits:
    """Stands for the back-off: notes what it is told, and answers with one wait."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.served = asyncio.Queue()

    def after(self, served):
        self.served.put_nowait(served)
        return self.seconds


@pytest.fixture
def waits(monkeypatch):
    made = Waits(0.0)
    monkeypatch.setattr(module, "Backoff", lambda: made)
    return made


async def killed(fleet):
    """The serving worker, dead."""
    (process,) = fleet.serving()
    process.kill(signal.SIGKILL)
    await process.ended.wait()
    return process


async def test_a_worker_whose_connections_are_long_has_served(make, monkeypatch, waits):
    """Tunnels have not ended as requests when it dies; connections of one that died at once are no service."""
    monkeypatch.setattr(module, "SETTLED", 0.0)
    fleet, world = make()
    await fleet.start(EMPTY, 1)
    first = await killed(fleet)
    assert not await waits.served.get()
    await until(lambda: fleet.serving() and fleet.serving()[0] is not first)
    world.connections += 1
    second = await killed(fleet)
    assert await waits.served.get()
    await until(lambda: fleet.serving() and fleet.serving()[0] is not second)
    monkeypatch.setattr(module, "SETTLED", 1e9)
    world.connections += 1
    await killed(fleet)
    assert not await waits.served.get()


class Clock:
    """The loop's time, which passes by sleeping alone."""

    def __init__(self):
        self.now = 0.0

    def time(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(("others", "rested"), [(True, 10.0), (False, module.LONELY)])
async def test_a_slot_waits_for_long_only_while_another_worker_serves(make, monkeypatch, others, rested):
    fleet, _ = make()
    clock = Clock()
    monkeypatch.setattr(fleet, "_loop", clock)
    monkeypatch.setattr(fleet, "_serving", {1: object()} if others else {})
    with monkeypatch.context() as patch:
        patch.setattr(module.asyncio, "sleep", clock.sleep)
        await fleet._rest(10.0)
    monkeypatch.undo()
    assert clock.now == pytest.approx(rested, abs=module.LOOK)


async def test_a_wait_ends_soon_after_the_last_other_worker_is_gone(make, monkeypatch):
    fleet, _ = make()
    clock = Clock()
    monkeypatch.setattr(fleet, "_loop", clock)
    monkeypatch.setattr(fleet, "_serving", others := {1: object()})

    async def sleep(seconds):
        clock.now += seconds
        if clock.now > 3.0:
            others.clear()

    with monkeypatch.context() as patch:
        patch.setattr(module.asyncio, "sleep", sleep)
        await fleet._rest(10.0)
    monkeypatch.undo()
    assert clock.now == pytest.approx(3.0, abs=2 * module.LOOK)
