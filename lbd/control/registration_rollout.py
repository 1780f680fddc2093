"""The rollout of registered servers: servers that came, left or changed are put in force soon, in batches."""

import asyncio

from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks

REST = 4.0   # pause after a rollout, in times of its duration


class RegistrationRollout:
    """Puts the registered servers in force. Servers that come during a rollout are part of the next one."""

    def __init__(self, plane: ControlPlane, tasks: Tasks) -> None:
        self._plane = plane
        self._tasks = tasks
        self._running = False
        self._outdated = False

    def start_soon(self) -> None:
        """Put the registered servers in force soon."""
        self._outdated = True
        if not self._running:
            self._running = True
            self._tasks.start("rollout of registrations", self._run())

    async def _run(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            while self._outdated:
                self._outdated = False
                began = loop.time()
                await self._plane.coordinator.apply_registrations()
                # Hundreds may come at once: each rollout costs all workers time that grows with the backend.
                await asyncio.sleep(REST * (loop.time() - began))
        finally:
            self._running = False
