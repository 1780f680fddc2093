"""The start with real workers, and how their number is kept."""

import signal

from tests.generation.running import config
from tests.waiting import until


async def test_start(running):
    assert [process.slot for process in running.fleet.serving()] == [0, 1]
    assert all(process.generation is running.in_force.generation for process in running.fleet.serving())
    assert all(process.given["web"] for process in running.fleet.serving())


async def test_a_dead_workers_sockets_are_served_by_another(running):
    first, second = running.fleet.serving()
    before = len(second.given["web"])
    first.kill(signal.SIGKILL)
    await first.ended.wait()
    await until(lambda: len(second.given["web"]) == 2 * before)
    await until(lambda: len(running.fleet.serving()) == 2)
    assert len(second.given["web"]) == before
    assert running.fleet.slots.restarts == 1


async def test_more_and_fewer_workers(running):
    await running.coordinator.apply_config(config("a", workers=3))
    await until(lambda: len(running.fleet.serving()) == 3)
    await running.coordinator.apply_config(config("a", workers=1))
    (left,) = running.fleet.serving()
    assert len(left.given["web"]) == 3
    await until(lambda: len(running.fleet.processes()) == 1)
