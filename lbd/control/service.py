"""The daemon as a service of systemd: sockets that it passes, state that it is sent, and its watchdog."""

import os

from lbd.backend.state import available
from lbd.generation.control_plane import ControlPlane
from lbd.log.logger import logger
from lbd.process.systemd import DescriptorStore, SystemdNotifier, inherited
from lbd.schema import Config
from lbd.workers.watchdog import SILENT


class Service:
    """The service; each method does nothing where lbd was not started by systemd."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._notify = SystemdNotifier(os.environ, os.getpid())
        self._store = DescriptorStore(self._notify)

    def adopt(self, config: Config) -> None:
        """Take the listening sockets that were passed, for binds of their address or listeners of their name."""
        sockets = self._plane.sockets
        sockets.kept_elsewhere = self._notify.active
        for passed in inherited(os.environ, os.getpid()):
            if sockets.adopt(passed.name, passed.sock, passed.stored, config.listeners):
                continue
            if passed.stored:
                self._notify.forget(passed.name)
            else:
                logger.warning("a socket was passed that no listener binds; it is closed", name=passed.name,
                               address=str(passed.sock.getsockname()))
            passed.sock.close()

    def reloading(self) -> None:
        """Send that a reload begins; `settled` ends it."""
        self._notify.reloading()

    def settled(self) -> None:
        """Send that the daemon is started, or done with a reload, successful or not."""
        self._notify.ready(self.summary())
        if self._notify.active:
            self._store.keep_exactly({str(address): fds for address, fds in self._plane.sockets.own().items()})

    async def stage(self, old: Config, new: Config) -> None:
        """Part of the generation: say that a reload begins."""
        self.reloading()

    async def commit(self) -> None:
        """Say that the reload is over."""
        self.settled()

    async def rollback(self) -> None:
        """Say that the reload is over."""
        self.settled()

    def stopping(self, seconds: float) -> None:
        """Send that the shutdown begins and may take so many seconds."""
        self._notify.stopping(seconds)

    def tick(self) -> None:
        """Send the status, and that the daemon lives; the loop calls it once a second.

        The watchdog of systemd ends a daemon whose loop stands still, or of whose workers none answers. Single workers
        are the business of the supervisor.
        """
        if not self._notify.active or self._plane.in_force.generation is None:
            return
        self._notify.status(self.summary())
        serving = self._plane.fleet.serving()
        if not serving or any(process.unanswered < SILENT for process in serving):
            self._notify.alive()

    def summary(self) -> str:
        """`3 listeners, 14/15 servers up, generation 7`."""
        generation = self._plane.in_force.generation
        if generation is None:
            return "starting"
        endpoints = self._plane.servers.all_endpoints(generation.config)
        up = sum(map(available, endpoints))
        count = len(generation.config.listeners)
        return f"{count} listener{'s' * (count != 1)}, {up}/{len(endpoints)} servers up, generation {generation.number}"
