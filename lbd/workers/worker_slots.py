"""The slots of the workers: each has one living worker after another, as long as the slot is wanted."""

import asyncio
import signal
from collections import Counter

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.workers.backoff import Backoff
from lbd.workers.lanes import Lanes
from lbd.workers.rollout import Rollout
from lbd.workers.worker_process import WorkerProcess
from lbd.workers.worker_starter import WorkerStarter
from lbd.workers.workers import Workers

BRING_UP = 15.0   # seconds from exec to serving
LONELY = 1.0      # seconds that a slot waits at most while no worker serves
LOOK = 0.1        # seconds between two looks at whether one does
SETTLED = 1.0     # seconds of life after which accepted connections count as service
HOPELESS = 3      # early deaths after which a start is given up


class WorkerSlots:
    """Keeps a worker in each slot. `restarts` counts workers that had a successor, `restarts_of` those of this
    supervisor by slot."""

    def __init__(self, tasks: Tasks, lanes: Lanes, workers: Workers, starter: WorkerStarter, rollout: Rollout) -> None:
        self.restarts = 0
        self.restarts_of: Counter[int] = Counter()
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._lanes = lanes
        self._workers = workers
        self._starter = starter
        self._rollout = rollout
        self._count = 0
        self._filling: set[int] = set()         # slots that have a task
        self._stopping = False
        self._early = 0

    def resize(self, count: int) -> None:
        """Fill so many slots; the workers of those beyond have no successors."""
        self._count = count
        for slot in range(count):
            if slot not in self._filling:
                self._filling.add(slot)
                self._tasks.start(f"worker {slot}", self._fill(slot))

    def stop(self) -> None:
        """Let no worker have a successor any more."""
        self._stopping = True
        self._workers.changed.set()

    async def wait_until_filled(self) -> None:
        """Return when a worker serves in each slot; raises `LbdError` when none comes up."""
        while len(self._workers.serving) < self._count:
            if self._early >= HOPELESS and not self._workers.serving:
                raise LbdError("no worker could start; its own lines above say why")
            if self._stopping:
                return
            self._workers.changed.clear()
            await self._workers.changed.wait()

    def _is_wanted(self, slot: int) -> bool:
        return slot < self._count and not self._stopping

    async def _fill(self, slot: int) -> None:
        """Run one worker of this slot after the other, as long as the slot is wanted."""
        backoff = Backoff()
        while self._is_wanted(slot):
            lane = self._lanes.allocate()
            if lane is None:
                logger.error("no lane of the scoreboard is free for a worker yet", slot=slot)
                await asyncio.sleep(1.0)
                continue
            served = await self._run_and_judge(slot, lane)
            self._lanes.release(lane)
            if not self._is_wanted(slot):
                break
            self.restarts += 1
            self.restarts_of[slot] += 1
            wait = backoff.after(served)
            if wait:
                logger.warning("worker slot waits before its next worker", slot=slot, seconds=wait)
                await self._pause(wait)
        self._filling.discard(slot)

    async def _run_and_judge(self, slot: int, lane: int) -> bool:
        """Run a worker to its end; returns whether it served clients."""
        requests, connections = self._lanes.requests_served(lane), self._connections_accepted(lane)
        age = await self._run(slot, lane)
        if age is None:
            return False
        # Tunnels end as requests only at their own end; a worker that dies of its first connections has not served.
        return self._lanes.requests_served(lane) > requests or (
            age >= SETTLED and self._connections_accepted(lane) > connections)

    def _connections_accepted(self, lane: int) -> float:
        return self._lanes.connections_accepted(lane, self._rollout.listener_slots)

    async def _pause(self, seconds: float) -> None:
        """Wait before a slot's next worker, but not for long while no other worker serves."""
        began = self._loop.time()
        while (waited := self._loop.time() - began) < seconds and (self._workers.serving or waited < LONELY):
            await asyncio.sleep(min(LOOK, seconds - waited))

    async def _run(self, slot: int, lane: int) -> float | None:
        """Run a worker from exec to its end; returns its age in seconds, None when it never served."""
        try:
            process = self._starter.start(slot, lane)
        except LbdError as error:
            logger.error("worker not started", slot=slot, reason=str(error))
            self._early += 1
            self._workers.changed.set()
            return None
        self._workers.add(process)
        try:
            async with asyncio.timeout(BRING_UP):
                await self._bring_up(process)
        except (LbdError, TimeoutError) as error:
            process.why = process.why or str(error) or f"did not serve within {BRING_UP:g} s of its start"
            process.kill(signal.SIGKILL)
            self._early += 1
        await process.ended.wait()
        if self._workers.remove(process):
            self._rollout.share_sockets()
        (logger.info if process.draining else logger.error)(
            "worker ended", slot=slot, pid=process.pid, reason=process.why)
        return process.age() if process.generation is not None else None

    async def _bring_up(self, process: WorkerProcess) -> None:
        await self._starter.greet(process)
        await self._rollout.catch_up(process)
        if self._is_wanted(process.slot):
            self._workers.serve(process)
            self._rollout.share_sockets()
        else:
            process.drain(self._rollout.drain_timeout)
