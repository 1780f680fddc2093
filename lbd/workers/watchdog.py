"""The watchdog of the workers: pings each every second, and ends those that do not answer."""

import asyncio
import signal

from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.workers.messages import Ping
from lbd.workers.worker_process import STACK, WorkerProcess
from lbd.workers.workers import Workers

SILENT = 5        # pings without an answer after which a worker counts as wedged
LAST_WORDS = 0.3  # seconds for a wedged worker's stack to come out before it is killed


class Watchdog:
    """Counts pings, not seconds, so that a supervisor that was itself stopped for a while kills no worker."""

    def __init__(self, workers: Workers, tasks: Tasks) -> None:
        self._workers = workers
        self._tasks = tasks
        self._pings = 0

    def ping(self) -> None:
        """End the workers that stand still, and ping the others; called once a second."""
        self._pings += 1
        for process in self._workers:
            if process.generation is None:
                continue
            if process.unanswered >= SILENT and not process.ended.is_set():
                process.unanswered = -10**6   # once
                self._tasks.start(f"ending worker {process.slot}", self._end_wedged(process))
            process.unanswered += 1
            process.send(Ping(self._pings))

    def note_pong(self, process: WorkerProcess) -> None:
        """Note that a worker answered."""
        process.unanswered = min(process.unanswered, 0)

    async def _end_wedged(self, process: WorkerProcess) -> None:
        logger.error("worker stands still; its stack follows, then it is replaced", slot=process.slot, pid=process.pid)
        process.why = f"stood still for {SILENT} s"
        process.kill(STACK)
        process.kill(signal.SIGCONT)   # a stopped process must run to print its stack
        await asyncio.sleep(LAST_WORDS)
        process.kill(signal.SIGKILL)
