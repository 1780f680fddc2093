"""The shutdown of the workers: they drain, those that do not end in time are cut, and what still lives is killed."""

import asyncio
import signal

from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.workers.messages import Cut
from lbd.workers.worker_slots import WorkerSlots
from lbd.workers.workers import Workers

DYING = 2.0       # seconds that killed workers may take to be gone: a disk that hangs holds them


class FleetShutdown:
    """Ends all workers; none has a successor then."""

    def __init__(self, workers: Workers, slots: WorkerSlots, tasks: Tasks) -> None:
        self._workers = workers
        self._slots = slots
        self._tasks = tasks

    def drain(self, timeout: float) -> None:
        """Tell all workers to drain within `timeout` seconds."""
        self._slots.stop()
        for process in self._workers:
            process.drain(timeout)

    async def stop(self, timeout: float) -> None:
        """Let all workers drain within `timeout` seconds and end."""
        self.drain(timeout)
        try:
            async with asyncio.timeout(timeout + 2):
                await asyncio.gather(*(process.ended.wait() for process in self._workers))
        except TimeoutError:
            logger.warning("workers did not end in time", workers=[process.pid for process in self._workers])
        self.kill()
        ends = [self._tasks.start(f"end of worker {process.slot}", process.ended.wait()) for process in self._workers]
        if ends and (undead := (await asyncio.wait(ends, timeout=DYING))[1]):
            logger.error("killed workers are not gone; they end when the kernel lets them", count=len(undead))

    def cut(self) -> None:
        """Cut every connection now; workers that do not end by themselves at once are killed."""
        for process in self._workers:
            process.send(Cut())
        asyncio.get_running_loop().call_later(1.0, self.kill)

    def kill(self) -> None:
        """Kill what still lives."""
        for process in self._workers:
            process.kill(signal.SIGKILL)
