"""The watchdog: a worker that stands still is replaced, one that answers is left alone."""

import signal

from lbd.workers import watchdog
from lbd.workers.watchdog import SILENT
from tests.waiting import until
from tests.workers.owner import EMPTY


async def test_who_does_not_answer_is_replaced(make, monkeypatch):
    monkeypatch.setattr(watchdog, "LAST_WORDS", 0.0)
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    process.kill(signal.SIGSTOP)
    for _ in range(SILENT + 1):
        fleet.ping()
    await process.ended.wait()
    assert process.why == f"stood still for {SILENT} s"
    await until(lambda: fleet.serving() and fleet.serving()[0] is not process)


async def test_who_answers_is_left_alone(make):
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    for _ in range(3 * SILENT):
        fleet.ping()
        await until(lambda: process.unanswered == 0)
    assert not process.ended.is_set()
