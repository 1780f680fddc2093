"""Tasks are kept, named, and their failures told."""

import asyncio

from lbd.net.tasks import Tasks


async def test_a_task_is_kept_while_it_runs_and_named():
    tasks = Tasks(lambda name, error: None)
    gate = asyncio.Event()
    task = tasks.start("waiting", gate.wait())
    assert task.get_name() == "waiting"
    assert len(tasks) == 1
    gate.set()
    await task
    assert len(tasks) == 0


async def test_a_failure_is_told_with_the_name():
    failures = []
    tasks = Tasks(lambda name, error: failures.append((name, str(error))))

    async def broken():
        raise ValueError("oh")

    await asyncio.wait([tasks.start("broken", broken())])
    assert failures == [("broken", "oh")]


async def test_cancel_ends_all_quietly():
    failures = []
    tasks = Tasks(lambda name, error: failures.append(name))
    for number in range(5):
        tasks.start(f"task {number}", asyncio.Event().wait())
    await tasks.cancel()
    assert len(tasks) == 0
    assert failures == []
