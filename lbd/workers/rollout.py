"""The rollout of a generation to the workers: all prepare it, and only then all put it in force."""

import asyncio
from collections.abc import Callable

from lbd.backend.snapshot import Endpoint, Generation
from lbd.errors import LbdError
from lbd.net.tasks import Tasks
from lbd.workers.messages import Commit, Committed, Discard, Prepare, Ready, UpdateEndpoints, Veto
from lbd.workers.socket_sharing import SocketSharing
from lbd.workers.worker_process import WorkerProcess
from lbd.workers.workers import Workers

PREPARE = 5.0     # seconds that a worker has to build a generation


class Rollout:
    """The generation in force, and the way there. `changes_since` gives the endpoints of a generation whose state is
    another by now."""

    def __init__(self, workers: Workers, tasks: Tasks, sharing: SocketSharing,
                 changes_since: Callable[[Generation], tuple[Endpoint, ...]]) -> None:
        self.generation: Generation | None = None
        self._workers = workers
        self._tasks = tasks
        self._sharing = sharing
        self._changes_since = changes_since

    @property
    def drain_timeout(self) -> float:
        """Seconds that the generation in force gives a worker to drain."""
        return self.generation.config.global_.drain_timeout if self.generation is not None else 0.0

    @property
    def listener_slots(self) -> tuple[int, ...]:
        """Rows of the scoreboard of the listeners in force."""
        return tuple(self.generation.listeners.values()) if self.generation is not None else ()

    def share_sockets(self) -> None:
        """Share the sockets of the generation in force among the workers that serve."""
        if self.generation is not None:
            self._sharing.share(self.generation)

    async def prepare(self, generation: Generation) -> list[WorkerProcess]:
        """Have every serving worker build the generation; returns them. Raises `LbdError` if one cannot, and then
        none keeps anything of it."""
        processes = list(self._workers.serving.values())
        try:
            async with asyncio.timeout(PREPARE):
                answers = await asyncio.gather(*(self._prepare(process, generation) for process in processes),
                                               return_exceptions=True)
        except TimeoutError:
            answers = [LbdError(f"a worker did not prepare generation {generation.number} within {PREPARE:g} s")]
        refusals = [answer for answer in answers if isinstance(answer, BaseException)]
        if refusals:
            for process in self._workers.serving.values():
                process.send(Discard(generation.number))
            raise LbdError(str(refusals[0]))
        return processes

    async def commit(self, generation: Generation, prepared: list[WorkerProcess]) -> None:
        """Put a prepared generation in force everywhere. Never fails: a worker that dies now has a successor with
        it."""
        self.generation = generation
        await asyncio.gather(*(self._commit(process, generation) for process in prepared), return_exceptions=True)
        for process in self._workers.serving.values():
            if process.generation is not generation:
                self._tasks.start(f"catching up worker {process.slot}", self.catch_up(process))
        self._sharing.share(generation)

    async def catch_up(self, process: WorkerProcess) -> None:
        """Bring one worker to the generation in force; raises `LbdError` when it cannot."""
        while (generation := self.generation) is not None and process.generation is not generation:
            await self._prepare(process, generation)
            await self._commit(process, generation)

    async def _prepare(self, process: WorkerProcess, generation: Generation) -> None:
        answer = await process.request(Prepare(generation), Ready, Veto)
        if isinstance(answer, Veto):
            raise LbdError(answer.reason)

    async def _commit(self, process: WorkerProcess, generation: Generation) -> None:
        await process.request(Commit(generation.number), Committed)
        process.generation = generation
        if changes := self._changes_since(generation):
            process.send(UpdateEndpoints(changes))
