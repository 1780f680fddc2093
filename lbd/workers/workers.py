"""The living workers, and which of them serve."""

import asyncio
from collections.abc import Iterator

from lbd.workers.worker_process import WorkerProcess


class Workers:
    """Every living worker process. `changed` is set whenever one begins to serve, ends, or fails to start."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._alive: set[WorkerProcess] = set()
        self._serving: dict[int, WorkerProcess] = {}    # by slot

    def __iter__(self) -> Iterator[WorkerProcess]:
        return iter(list(self._alive))

    def by_slot(self) -> list[WorkerProcess]:
        """Every living worker, those that start or drain too, by slot and age."""
        return sorted(self._alive, key=lambda process: (process.slot, process.born))

    @property
    def serving(self) -> dict[int, WorkerProcess]:
        """The workers that have a generation in force, by slot in rising order."""
        return {slot: self._serving[slot] for slot in sorted(self._serving)}

    def add(self, process: WorkerProcess) -> None:
        """Add a worker that was started."""
        self._alive.add(process)

    def serve(self, process: WorkerProcess) -> None:
        """Note that a worker serves its slot from now on."""
        self._serving[process.slot] = process
        self.changed.set()

    def retire_beyond(self, slots: int) -> list[WorkerProcess]:
        """Take the workers of slots from this number on out of service; returns them."""
        return [self._serving.pop(slot) for slot in list(self._serving) if slot >= slots]

    def remove(self, process: WorkerProcess) -> bool:
        """Remove a worker that ended; returns whether it served."""
        self._alive.discard(process)
        served = self._serving.get(process.slot) is process
        if served:
            del self._serving[process.slot]
        self.changed.set()
        return served
