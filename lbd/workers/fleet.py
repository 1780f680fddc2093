"""The fleet: one living worker per slot, all at one generation, and every listening socket with a worker."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from lbd.backend.snapshot import Endpoint, Generation
from lbd.errors import LbdError
from lbd.net.tasks import Tasks
from lbd.process.sockets import Sockets
from lbd.stats.scoreboard import Board
from lbd.workers.fleet_shutdown import FleetShutdown
from lbd.workers.lanes import Lanes
from lbd.workers.messages import (
    Confirm,
    Confirmed,
    ConnectFailed,
    ExplainReady,
    ExplainRequest,
    Message,
    Pong,
    UpdateEndpoints,
)
from lbd.workers.rollout import Rollout
from lbd.workers.socket_sharing import SocketSharing
from lbd.workers.watchdog import Watchdog
from lbd.workers.worker_process import WorkerProcess
from lbd.workers.worker_slots import WorkerSlots
from lbd.workers.worker_starter import WorkerStarter
from lbd.workers.workers import Workers

EXPLAIN = 5.0     # seconds that workers have to take a ticket
CONFIRM = 1.0     # seconds that workers have to confirm what they were told


@dataclass(frozen=True, slots=True)
class FleetCallbacks:
    """`write_log_line` gets each line of the workers' logs. `on_worker_hello` gets a worker of this very version before
    its first generation, `on_version_mismatch` is called for one of another version. `on_connect_failure` gets backend,
    server and address to which a worker could not connect. `changes_since` returns the endpoints of a generation whose
    state is another by now.
    """

    write_log_line: Callable[[str], None]
    on_worker_hello: Callable[[WorkerProcess], None]
    on_version_mismatch: Callable[[], None]
    on_connect_failure: Callable[[str, str, str], None]
    changes_since: Callable[[Generation], tuple[Endpoint, ...]]


class Fleet:
    """All worker processes. `lanes` are those of the scoreboard, `slots` fills each slot with workers."""

    def __init__(self, tasks: Tasks, sockets: Sockets, board: Board, log_form: str, callbacks: FleetCallbacks) -> None:
        self.lanes = Lanes(board)
        self._workers = Workers()
        self._callbacks = callbacks
        self._starter = WorkerStarter(board, log_form, self._on_report, callbacks.write_log_line,
                                      callbacks.on_worker_hello, callbacks.on_version_mismatch)
        self._rollout = Rollout(self._workers, tasks, SocketSharing(self._workers, sockets), callbacks.changes_since)
        self.slots = WorkerSlots(tasks, self.lanes, self._workers, self._starter, self._rollout)
        self._watchdog = Watchdog(self._workers, tasks)
        self._shutdown = FleetShutdown(self._workers, self.slots, tasks)

    @property
    def generation(self) -> Generation | None:
        """The generation that every worker has, or is about to have."""
        return self._rollout.generation

    def processes(self) -> list[WorkerProcess]:
        """Every living worker, those that start or drain too, by slot."""
        return self._workers.by_slot()

    def serving(self) -> list[WorkerProcess]:
        """The workers that have a generation in force, by slot."""
        return list(self._workers.serving.values())

    async def start(self, generation: Generation, workers: int) -> None:
        """Bring up the workers. Raises `LbdError` when none comes up."""
        self._rollout.generation = generation
        self.resize(workers)
        await self.slots.wait_until_filled()

    def resize(self, workers: int) -> None:
        """Change how many workers there are; those beyond drain."""
        self._starter.provide_wakeups(workers)
        self.slots.resize(workers)
        for process in self._workers.retire_beyond(workers):
            process.drain(self._rollout.drain_timeout)
        self.share()

    def share(self) -> None:
        """Give every listening socket to a worker that serves."""
        self._rollout.share_sockets()

    async def prepare(self, generation: Generation) -> list[WorkerProcess]:
        """Have every serving worker build the generation; returns them. Raises `LbdError` if one cannot, and then
        none keeps anything of it."""
        return await self._rollout.prepare(generation)

    async def commit(self, generation: Generation, prepared: list[WorkerProcess]) -> None:
        """Put a prepared generation in force everywhere; never fails."""
        await self._rollout.commit(generation, prepared)

    def update(self, endpoints: tuple[Endpoint, ...]) -> None:
        """Tell every worker the new state of these endpoints, those that drain too: they have work in hand."""
        for process in self._workers:
            if process.generation is not None:
                process.send(UpdateEndpoints(endpoints))

    async def confirm(self) -> list[int]:
        """Wait until every serving worker has put in force what it was told. Returns the pids of those that did not
        within `CONFIRM` seconds; a worker that dies meanwhile has a successor, which knows it from its start."""
        processes = self.serving()
        confirmed = await asyncio.gather(*map(_confirm, processes))
        return [process.pid for process, in_force in zip(processes, confirmed, strict=True) if not in_force]

    async def explain(self, ticket: bytes, seconds: float) -> None:
        """Have every worker explain its answer to a request with this ticket. Raises `LbdError`."""
        answers = [process.request(ExplainRequest(ticket, seconds), ExplainReady) for process in self.serving()]
        try:
            async with asyncio.timeout(EXPLAIN):
                await asyncio.gather(*answers)
        except TimeoutError:
            raise LbdError(f"a worker did not take the ticket within {EXPLAIN:g} s") from None

    def ping(self) -> None:
        """End the workers that stand still; called once a second."""
        self._watchdog.ping()

    def dismiss(self, timeout: float) -> None:
        """Tell all workers to drain within `timeout` seconds; none has a successor."""
        self._shutdown.drain(timeout)

    async def stop(self, timeout: float) -> None:
        """Let all workers drain within `timeout` seconds and end."""
        await self._shutdown.stop(timeout)

    def cut(self) -> None:
        """Cut every connection now; workers that do not end by themselves at once are killed."""
        self._shutdown.cut()

    def kill(self) -> None:
        """Kill what still lives."""
        self._shutdown.kill()

    def _on_report(self, process: WorkerProcess, message: Message) -> None:
        if isinstance(message, Pong):
            self._watchdog.note_pong(process)
        elif isinstance(message, ConnectFailed):
            self._callbacks.on_connect_failure(message.backend, message.server, message.address)


async def _confirm(process: WorkerProcess) -> bool:
    try:
        async with asyncio.timeout(CONFIRM):
            await process.request(Confirm(), Confirmed)
    except TimeoutError:
        return False
    except LbdError:   # it died
        pass
    return True
