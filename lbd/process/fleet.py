"""The fleet: one living worker per slot, all of them at one generation, and somebody at every listening socket."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from lbd import __version__
from lbd.backend.snapshot import Endpoint, Generation
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.net.wakeups import open_wakeups
from lbd.process.codec import ORDERS
from lbd.process.messages import (
    Commit,
    Committed,
    ConnectFailed,
    Cut,
    Discard,
    Drain,
    ExplainReady,
    ExplainRequest,
    Listen,
    Message,
    Ping,
    Pong,
    Prepare,
    Ready,
    UpdateEndpoints,
    Veto,
    WorkerHello,
)
from lbd.process.policy import SILENT, Backoff, Lanes, assign
from lbd.process.sockets import Sockets
from lbd.process.worker_process import STACK, WorkerProcess

PREPARE = 5.0     # seconds that a worker has to build a generation
BRING_UP = 15.0   # seconds from exec to serving
LAST_WORDS = 0.3  # seconds for a wedged worker's stack to come out before it is killed
DYING = 2.0       # seconds that killed workers may take to be gone: a disk that hangs holds them
LONELY = 1.0      # seconds that a slot waits at most while no worker serves
LOOK = 0.1        # seconds between two looks at whether one does
SETTLED = 1.0     # seconds of life after which accepted connections count as service
HOPELESS = 3      # early deaths after which a start is given up


class Surroundings(Protocol):
    """What the fleet asks of the supervisor."""

    def line(self, text: str) -> None:
        """A worker wrote a line of log."""

    def greeted(self, process: WorkerProcess) -> None:
        """A worker of this very version is there, and gets its first generation next."""

    def suspect(self, backend: str, server: str, address: str) -> None:
        """A worker could not connect to this server at this address."""

    def moved(self, generation: Generation) -> tuple[Endpoint, ...]:
        """Servers of the generation whose state is another by now."""

    def buried(self, lane: int) -> None:
        """The process of this lane is dead."""

    @property
    def replaced(self) -> Callable[[], None]:
        """To be called when a worker is of another version than the supervisor."""

    def served(self, lane: int) -> float:
        """Requests that were ever counted in this lane."""

    def accepted(self, lane: int) -> float:
        """Connections that were ever accepted in this lane."""


class Fleet:
    """All worker processes."""

    def __init__(self, tasks: Tasks, sockets: Sockets, board: int, lanes: int, layout: int, log_form: str,
                 around: Surroundings) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._sockets = sockets
        self._board = board
        self._layout = layout
        self._log_form = log_form
        self._around = around
        self._lanes = Lanes(lanes)
        self._most_wakeups = lanes
        self._wakeups: tuple[int, ...] = ()
        self._wanted = 0
        self._kept: set[int] = set()            # slots that have a task
        self._alive: set[WorkerProcess] = set()
        self._serving: dict[int, WorkerProcess] = {}
        self._stopping = False
        self._news = asyncio.Event()
        self._ticks = 0
        self._early = 0
        self.generation: Generation | None = None
        self.restarts = 0
        self.restarts_of: Counter[int] = Counter()      # by slot, of this supervisor

    def reserve(self, lanes: Iterable[int]) -> None:
        """Processes of an earlier supervisor write to these lanes."""
        for lane in lanes:
            self._lanes.occupy(lane)

    def free(self, lane: int) -> None:
        """The process of such a lane is gone."""
        self._lanes.give_back(lane)

    def processes(self) -> list[WorkerProcess]:
        """Every living worker, those that start or drain too, by slot."""
        return sorted(self._alive, key=lambda process: (process.slot, process.born))

    def serving(self) -> list[WorkerProcess]:
        """The workers that have a generation in force."""
        return [self._serving[slot] for slot in sorted(self._serving)]

    async def start(self, generation: Generation, workers: int) -> None:
        """Bring up the workers. Raises `LbdError` when none comes up."""
        self.generation = generation
        self.resize(workers)
        while len(self._serving) < self._wanted:
            if self._early >= HOPELESS and not self._serving:
                raise LbdError("no worker could start; its own lines above say why")
            if self._stopping:
                return
            self._news.clear()
            await self._news.wait()

    def resize(self, workers: int) -> None:
        """Change how many workers there are; those beyond drain."""
        self._wanted = workers
        # For old and new workers side by side; lanes without an eventfd are polled.
        self._wakeups += open_wakeups(min(self._most_wakeups, 2 * workers + 2) - len(self._wakeups))
        for slot in range(workers):
            if slot not in self._kept:
                self._kept.add(slot)
                self._tasks.start(f"worker {slot}", self._keep(slot))
        for slot in [slot for slot in self._serving if slot >= workers]:
            self._dismiss(self._serving.pop(slot))
        self.share()

    async def prepare(self, generation: Generation) -> list[WorkerProcess]:
        """Have every serving worker build the generation; returns them. Raises `LbdError` if one cannot, and then
        none keeps anything of it."""
        asked = self.serving()
        try:
            async with asyncio.timeout(PREPARE):
                answers = await asyncio.gather(*(self._prepare(process, generation) for process in asked),
                                               return_exceptions=True)
        except TimeoutError:
            answers = [LbdError(f"a worker did not prepare generation {generation.number} within {PREPARE:g} s")]
        refusals = [answer for answer in answers if isinstance(answer, BaseException)]
        if refusals:
            self.discard(generation)
            raise LbdError(str(refusals[0]))
        return asked

    def discard(self, generation: Generation) -> None:
        """Every worker forgets the prepared generation."""
        for process in self.serving():
            process.send(Discard(generation.number))

    async def commit(self, generation: Generation, prepared: list[WorkerProcess]) -> None:
        """Put a prepared generation in force everywhere. Never fails: who dies now has a successor with it."""
        self.generation = generation
        await asyncio.gather(*(self._commit(process, generation) for process in prepared), return_exceptions=True)
        for process in self.serving():
            if process.generation is not generation:
                self._tasks.start(f"catching up worker {process.slot}", self._catch_up(process))
        self.share()

    def update(self, endpoints: tuple[Endpoint, ...]) -> None:
        """Tell every worker what became of these servers, those that drain too: they have work in hand."""
        for process in self._alive:
            if process.generation is not None:
                process.send(UpdateEndpoints(endpoints))

    async def explain(self, ticket: bytes, seconds: float) -> None:
        """Every worker says how it came to its answer to a request with this ticket. Raises `LbdError`."""
        asked = [process.ask(ExplainRequest(ticket, seconds), ExplainReady) for process in self.serving()]
        try:
            async with asyncio.timeout(PREPARE):
                await asyncio.gather(*asked)
        except TimeoutError:
            raise LbdError(f"a worker did not take the ticket within {PREPARE:g} s") from None

    def share(self) -> None:
        """Give every listening socket to somebody who serves."""
        if self.generation is None or not self._serving:
            return
        names = list(self.generation.config.listeners)
        for slot, slots in assign(self._sockets.slots, self._serving).items():
            process = self._serving[slot]
            for name in [*names, *(name for name in process.given if name not in names)]:
                fds = tuple(self._sockets.of(name, slots))
                # The inode too: a descriptor's number may belong to another socket by now.
                identity = tuple((fd, os.fstat(fd).st_ino) for fd in fds)
                if identity != process.given.get(name, ()):
                    for start in range(0, max(len(fds), 1), ORDERS.most_fds):
                        process.send(Listen(name, start > 0), fds[start:start + ORDERS.most_fds])
                    process.given[name] = identity

    def ping(self) -> None:
        """To be called every second: finds workers that stand still. Counts pings, not seconds, so that a supervisor
        that was itself stopped for a while kills nobody."""
        self._ticks += 1
        for process in [process for process in self._alive if process.generation is not None]:
            if process.unanswered >= SILENT and not process.ended.is_set():
                process.unanswered = -10**6   # once
                self._tasks.start(f"ending worker {process.slot}", self._end_wedged(process))
            process.unanswered += 1
            process.send(Ping(self._ticks))

    def dismiss(self, timeout: float) -> None:
        """Tell all workers to drain within `timeout` seconds; none has a successor."""
        self._stopping = True
        self._news.set()
        for process in list(self._alive):
            self._dismiss(process, timeout)

    async def stop(self, timeout: float) -> None:
        """Let all workers drain within `timeout` seconds and end."""
        self.dismiss(timeout)
        try:
            async with asyncio.timeout(timeout + 2):
                await asyncio.gather(*(process.ended.wait() for process in self._alive))
        except TimeoutError:
            logger.warning("workers did not end in time", workers=[process.pid for process in self._alive])
        self.kill()
        ends = [self._tasks.start(f"end of worker {process.slot}", process.ended.wait()) for process in self._alive]
        if ends and (left := (await asyncio.wait(ends, timeout=DYING))[1]):
            logger.error("killed workers are not gone; they end when the kernel lets them", count=len(left))

    def cut(self) -> None:
        """Cut every connection now; workers that do not end by themselves at once are killed."""
        for process in self._alive:
            process.send(Cut())
        self._loop.call_later(1.0, self.kill)

    def kill(self) -> None:
        """End what still lives."""
        for process in self._alive:
            process.kill(signal.SIGKILL)

    async def _keep(self, slot: int) -> None:
        """One worker of this slot after the other, as long as the slot is wanted."""
        backoff = Backoff()
        while slot < self._wanted and not self._stopping:
            lane = self._lanes.take()
            if lane is None:
                logger.error("no lane of the scoreboard is free for a worker yet", slot=slot)
                await asyncio.sleep(1.0)
                continue
            before = self._around.served(lane), self._around.accepted(lane)
            lived = await self._live(slot, lane)
            # Tunnels end as requests only at their own end; one that dies of its first connections has served nobody.
            served = lived is not None and (self._around.served(lane) > before[0] or (
                lived >= SETTLED and self._around.accepted(lane) > before[1]))
            self._around.buried(lane)
            self._lanes.give_back(lane)
            if self._stopping or slot >= self._wanted:
                break
            self.restarts += 1
            self.restarts_of[slot] += 1
            wait = backoff.after(served)
            if wait:
                logger.warning("worker slot waits before its next worker", slot=slot, seconds=wait)
                await self._rest(wait)
        self._kept.discard(slot)

    async def _rest(self, seconds: float) -> None:
        """Before a slot's next worker; while no other worker serves, somebody has to be tried."""
        began = self._loop.time()
        while (rested := self._loop.time() - began) < seconds and (self._serving or rested < LONELY):
            await asyncio.sleep(min(LOOK, seconds - rested))

    async def _live(self, slot: int, lane: int) -> float | None:
        """A worker's life from exec to end, in seconds; None when it never served."""
        try:
            process = WorkerProcess(self._loop, slot, lane, self._board, self._log_form, self._hear, self._around.line,
                              self._wakeups)
        except LbdError as error:
            logger.error("worker not started", slot=slot, reason=str(error))
            self._early += 1
            self._news.set()
            return None
        self._alive.add(process)
        try:
            async with asyncio.timeout(BRING_UP):
                await self._bring_up(process)
        except (LbdError, TimeoutError) as error:
            process.why = process.why or str(error) or f"did not serve within {BRING_UP:g} s of its start"
            process.kill(signal.SIGKILL)
            self._early += 1
        await process.ended.wait()
        self._alive.discard(process)
        if self._serving.get(slot) is process:
            del self._serving[slot]
            self.share()
        (logger.info if process.draining else logger.error)(
            "worker ended", slot=slot, pid=process.pid, reason=process.why)
        self._news.set()
        return process.age() if process.generation is not None else None

    async def _bring_up(self, process: WorkerProcess) -> None:
        hello = await process.ask(None, WorkerHello)
        if (hello.version, hello.layout) != (__version__, self._layout):
            self._around.replaced()
            raise LbdError(f"it runs lbd {hello.version}, the supervisor lbd {__version__}: lbd was replaced under the "
                           "running daemon, which upgrades itself now")
        self._around.greeted(process)
        await self._catch_up(process)
        if self._stopping or process.slot >= self._wanted:
            self._dismiss(process)
            return
        self._serving[process.slot] = process
        self._news.set()
        self.share()

    async def _catch_up(self, process: WorkerProcess) -> None:
        while (generation := self.generation) is not None and process.generation is not generation:
            await self._prepare(process, generation)
            await self._commit(process, generation)

    async def _prepare(self, process: WorkerProcess, generation: Generation) -> None:
        answer = await process.ask(Prepare(generation), Ready, Veto)
        if isinstance(answer, Veto):
            raise LbdError(answer.reason)

    async def _commit(self, process: WorkerProcess, generation: Generation) -> None:
        await process.ask(Commit(generation.number), Committed)
        process.generation = generation
        moved = self._around.moved(generation)
        if moved:
            process.send(UpdateEndpoints(moved))

    def _dismiss(self, process: WorkerProcess, timeout: float | None = None) -> None:
        if timeout is None:
            timeout = self.generation.config.global_.drain_timeout if self.generation else 0.0
        process.draining = True
        process.send(Drain(timeout))

    async def _end_wedged(self, process: WorkerProcess) -> None:
        logger.error("worker stands still; its stack follows, then it is replaced", slot=process.slot, pid=process.pid)
        process.why = f"stood still for {SILENT} s"
        process.kill(STACK)
        process.kill(signal.SIGCONT)   # one that was stopped must run to tell
        await asyncio.sleep(LAST_WORDS)
        process.kill(signal.SIGKILL)

    def _hear(self, process: WorkerProcess, message: Message) -> None:
        if isinstance(message, Pong):
            process.unanswered = min(process.unanswered, 0)
        elif isinstance(message, ConnectFailed):
            self._around.suspect(message.backend, message.server, message.address)
