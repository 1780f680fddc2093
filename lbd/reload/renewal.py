"""Renewal: puts changed files of TLS in force, gives session tickets other keys, and warns of certificates that end."""

import asyncio
import time

from lbd.errors import LbdError
from lbd.generation.certificates import files, shown
from lbd.generation.control_plane import ControlPlane
from lbd.generation.file_watch import FileWatch
from lbd.log.logger import logger
from lbd.net.offload import Offload
from lbd.net.tasks import Tasks

LOOK = 60.0   # seconds between two looks at clocks, and at a disk that does not answer


class Renewal:
    """Follows the generation in force, whatever `[global] watch` says of configuration files."""

    def __init__(self, plane: ControlPlane, tasks: Tasks) -> None:
        self._plane = plane
        self._tasks = tasks
        self._files: list[str] = []
        self._watching: asyncio.Task[None] | None = None
        self._watch: FileWatch | None = None
        self._looked = 0.0
        self._looking = Offload("looking at the files of TLS")

    def follow(self) -> None:
        """Watch the files of the generation in force."""
        generation = self._plane.in_force.generation
        wanted = files(generation.config) if generation is not None else []
        if wanted == self._files:
            return
        self._files = wanted
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if wanted:
            self._watching = self._tasks.start("watch over certificates", self._watch_files())

    async def _watch_files(self) -> None:
        self._watch = None
        while self._watch is None:
            try:
                self._watch = await self._looking.run(FileWatch, lambda: self._files, self._changed)
            except LbdError as error:
                logger.error("certificates are not watched yet", reason=str(error))
                await asyncio.sleep(LOOK)
        self._changed()     # between their reading and now they may have changed
        await self._watch.run()

    @property
    def polls(self) -> str:
        """The reason why certificates are polled; "" where the kernel reports changes."""
        return self._watch.polls if self._watch is not None and self._watching is not None else ""

    def tick(self) -> None:
        """Warn of certificates and rotate the keys of session tickets when it is time; called once a second."""
        now, generation = time.monotonic(), self._plane.in_force.generation
        if generation is None or not self._files or now - self._looked < LOOK:
            return
        self._looked = now
        self._plane.materials.certificates.warn(shown(generation.credentials), time.time())
        if self._plane.materials.certificates.rotate():
            self._changed()

    def _changed(self) -> None:
        self._tasks.start("renewal of certificates", self._renew())

    async def _renew(self) -> None:
        try:
            await self._plane.coordinator.apply_credentials()
        except LbdError as error:
            logger.error("certificates not looked at; those in force stay", reason=str(error))
