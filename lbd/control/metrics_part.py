"""The metrics server as a part of the generation: a reload may open, move or close it."""

import socket

from lbd.admin.daemon_api import DaemonApi
from lbd.control.api_server import ApiServer
from lbd.control.metrics_server import bind_metrics_server
from lbd.process.sockets import Sockets
from lbd.schema import Config


class MetricsPart:
    """`server` is the one that answers now, None where there is none."""

    def __init__(self, sockets: Sockets) -> None:
        self.server: ApiServer | None = None
        self._daemon: DaemonApi | None = None
        self._sockets = sockets
        self._changed = False
        self._staged: ApiServer | None = None

    def bind(self, config: Config, daemon: DaemonApi, owner: tuple[int, int] | None,
             inherited: socket.socket | None) -> None:
        """Bind the first server; `inherited` is the socket of the version before. Raises `LbdError`."""
        self._daemon = daemon
        self.server = bind_metrics_server(config, daemon, owner, inherited)

    async def stage(self, old: Config, new: Config) -> None:
        """Bind the new server, if the address is another: beside the old one where they share a port."""
        self._changed = old.metrics.bind != new.metrics.bind
        given_up = self.server.address.port if self._changed and self.server is not None else 0
        shared = {given_up, *self._sockets.ports()}
        self._staged = (bind_metrics_server(new, self._daemon, shared=shared)
                        if self._changed and self._daemon is not None else None)

    async def commit(self) -> None:
        """Answer at the new address; clients of the old server are answered before it closes."""
        if not self._changed:
            return
        if self._staged is not None:
            await self._staged.open()
        if self.server is not None:
            await self.server.drain()
        self.server = self._staged

    async def rollback(self) -> None:
        """Close the new server."""
        if self._staged is not None:
            await self._staged.close()
