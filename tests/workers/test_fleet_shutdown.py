"""The shutdown: a cut ends all workers."""

from tests.workers.owner import EMPTY


async def test_cut_ends_all(make):
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    fleet.slots.stop()
    fleet.cut()
    await process.ended.wait()
