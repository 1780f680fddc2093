"""The connector of one worker: opens connections to servers, and notes which servers were reached."""

import socket
from collections.abc import Callable
from typing import Any

from lbd.backend.server import Server
from lbd.net.secure import Secure
from lbd.upstream.upstream import Upstream


class ServerConnector:
    """Opens connections to servers. `report` is called with (backend, server, address) when a connect failed."""

    __slots__ = ("_plane", "_report")

    def __init__(self, plane: Any, report: Callable[[str, str, str], None]) -> None:
        self._plane = plane
        self._report = report

    def connect(self, server: Server, upstream: Upstream, greeting: bytes = b"") -> Any:
        """Begin a connection to the server, on which `greeting` is sent first; the upstream hears of the outcome."""
        plane, tls = self._plane, server.connections.tls
        options = plane.in_force.options.get(server.backend, ())
        try:
            if tls is None:
                upstream.payload = greeting + upstream.payload
                return plane.net.connect(*socket_address(server), upstream, options)
            secure = Secure(tls.context, upstream, server=False, name=tls.name, client_tls=tls, greeting=greeting)
            return secure.attach(plane.net.connect(*socket_address(server), secure, options))
        except (OSError, ValueError) as error:      # no descriptor left, or no address that the kernel takes
            plane.loop.call_soon(upstream.connection_lost, error)
            return None

    def mark_failed(self, server: Server | None) -> None:
        """Make the server the last choice until it answers again: a connect to it failed."""
        if server is None:
            return
        if server.backoff.mark_failed(self._plane.now):
            self._rebuild(server)
        self._report(server.backend, server.name, str(server.address))

    def clear_failures(self, server: Server) -> None:
        """Choose the server as any other: it was reached again."""
        server.backoff.clear_failures()
        self._rebuild(server)

    def _rebuild(self, server: Server) -> None:
        backend = self._plane.in_force.backends.get(server.backend)
        if backend is not None:
            backend.rebuild()
            if backend.gate is not None:
                backend.gate.freed()

    def capacity_freed(self, server: Server) -> None:
        """Let a waiting request in: a connection to the server is gone or idle."""
        backend = self._plane.in_force.backends.get(server.backend)
        if backend is not None and backend.gate is not None:
            backend.gate.freed()

    def admit_waiting(self) -> None:
        """Look at all queues: another worker woke this one, whose requests may go on, or waits for a connection."""
        for backend in self._plane.in_force.backends.values():
            if backend.gate is not None:
                backend.gate.pump()


def socket_address(server: Server) -> tuple[int, Any]:
    """Family and socket address, worked out once."""
    if server.connections.socket_address is None:
        address = server.address
        if address.path:
            server.connections.socket_address = (socket.AF_UNIX, address.sun_path)
        else:
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            server.connections.socket_address = (family, (address.host, address.port))
    return server.connections.socket_address
