"""Tasks: the only place that starts asyncio tasks, so that each has a name, an owner and a reader of its failure."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def happens(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether the event is set within so many seconds (None: ever); waiting for it does not set it."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


class Tasks:
    """The running tasks of one owner. `failed` gets the name and the exception of a task that broke."""

    def __init__(self, failed: Callable[[str, BaseException], None]) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._failed = failed

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` as a task that is kept until it ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def cancel(self, seconds: float | None = None) -> list[str]:
        """Cancel all tasks but the calling one, and wait for their end, so many seconds at most; returns the names of
        tasks that did not end."""
        tasks = [task for task in self._running if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        left = (await asyncio.wait(tasks, timeout=seconds))[1] if tasks else ()
        return [task.get_name() for task in left]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task.get_name(), error)
