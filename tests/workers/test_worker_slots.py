"""The slots: what counts as service, and how long a slot waits for its next worker."""

import asyncio
import signal

import pytest

from lbd.workers import worker_slots
from tests.waiting import until
from tests.workers.owner import EMPTY


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
    monkeypatch.setattr(worker_slots, "Backoff", lambda: made)
    return made


async def killed(fleet):
    """The serving worker, dead."""
    (process,) = fleet.serving()
    process.kill(signal.SIGKILL)
    await process.ended.wait()
    return process


async def test_a_worker_whose_connections_are_long_has_served(make, monkeypatch, waits):
    """Tunnels have not ended as requests when it dies; connections of one that died at once are no service."""
    monkeypatch.setattr(worker_slots, "SETTLED", 0.0)
    fleet, owner = make()
    await fleet.start(EMPTY, 1)
    first = await killed(fleet)
    assert not await waits.served.get()
    await until(lambda: fleet.serving() and fleet.serving()[0] is not first)
    owner.accept(0)
    second = await killed(fleet)
    assert await waits.served.get()
    await until(lambda: fleet.serving() and fleet.serving()[0] is not second)
    monkeypatch.setattr(worker_slots, "SETTLED", 1e9)
    owner.accept(0)
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


@pytest.mark.parametrize(("others", "rested"), [(True, 10.0), (False, worker_slots.LONELY)])
async def test_a_slot_waits_for_long_only_while_another_worker_serves(make, monkeypatch, others, rested):
    fleet, _ = make()
    clock = Clock()
    monkeypatch.setattr(fleet.slots, "_loop", clock)
    monkeypatch.setattr(fleet._workers, "_serving", {1: object()} if others else {})
    with monkeypatch.context() as patch:
        patch.setattr(worker_slots.asyncio, "sleep", clock.sleep)
        await fleet.slots._pause(10.0)
    monkeypatch.undo()
    assert clock.now == pytest.approx(rested, abs=worker_slots.LOOK)


async def test_a_wait_ends_soon_after_the_last_other_worker_is_gone(make, monkeypatch):
    fleet, _ = make()
    clock = Clock()
    monkeypatch.setattr(fleet.slots, "_loop", clock)
    monkeypatch.setattr(fleet._workers, "_serving", others := {1: object()})

    async def sleep(seconds):
        clock.now += seconds
        if clock.now > 3.0:
            others.clear()

    with monkeypatch.context() as patch:
        patch.setattr(worker_slots.asyncio, "sleep", sleep)
        await fleet.slots._pause(10.0)
    monkeypatch.undo()
    assert clock.now == pytest.approx(3.0, abs=2 * worker_slots.LOOK)
