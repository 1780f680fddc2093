"""The connector of one worker: opens connections to servers, and notes which servers were reached."""

import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange import names
from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import Requester, ServerConnection
from lbd.net.callbacks import Callbacks
from lbd.net.secure import Secure
from lbd.net.tcp_options import Options
from lbd.net.transport import Transport
from lbd.upstream.closing import ClosingConnections
from lbd.upstream.http1 import Http1ServerConnection
from lbd.upstream.send_proxy import introduction

SocketAddress = tuple[str, int] | str | bytes


class Net(Protocol):
    """The part of the transport that opens connections (`lbd.net.sock.Poller`, `lbd.net.loop.LoopNet`)."""

    def connect(self, family: int, address: SocketAddress, callbacks: Callbacks, options: Options = ..., /
                ) -> Transport: ...


class ServerConnector:
    """Opens connections to servers. `report` is called with (backend, server, address) when a connect failed.
    `backends` are those in force, `options` the socket options by backend."""

    def __init__(self, context: WorkerContext, net: Net, report: Callable[[str, str, str], None]) -> None:
        self.context = context
        self.backends: Mapping[str, Backend] = {}
        self.options: Mapping[str, Options] = {}
        self.closing = ClosingConnections(context)
        self._net = net
        self._report = report

    def connect(self, exchange: Requester, server: Server) -> Http1ServerConnection:
        """Begin a connection to the server; the exchange hears of the outcome."""
        told = exchange.route.backend.settings.send_proxy
        connection = Http1ServerConnection(server, self.context, exchange)
        tls = server.connections.tls
        if exchange.route.named and tls is not None:
            connection.name = names.name_in(exchange.host)
            oldest = next(iter(server.idle), None) if len(server.idle) >= server.max_idle else None
            if oldest is not None:       # of another name: it would keep this one from resting later
                oldest.close()
            tls = server.connections.tls_for(connection.name)
        options = self.options.get(server.backend, ())
        try:
            if tls is None:
                connection.transport = self._net.connect(*socket_address(server), connection, options)
            else:
                greeting = introduction(exchange.peer, told) if told is not None else b""
                secure = Secure(tls.context, connection, server=False, name=tls.name, client_tls=tls, greeting=greeting)
                connection.transport = secure.attach(self._net.connect(*socket_address(server), secure, options))
        except (OSError, ValueError) as error:      # no descriptor left, or no address that the kernel takes
            self.context.loop.call_soon(connection.connection_lost, error)
        return connection

    def closes(self, connection: ServerConnection, transport: Transport) -> None:
        """Give a connection that is being closed the time to send the rest."""
        self.closing.add(connection, transport)

    def closed(self, connection: ServerConnection) -> None:
        """Note that a connection is gone."""
        self.closing.discard(connection)
        if connection.server.max_conns:
            self.capacity_freed(connection.server)

    def mark_failed(self, server: Server | None) -> None:
        """Make the server the last choice until it answers again: a connect to it failed."""
        if server is None:
            return
        if server.backoff.mark_failed(self.context.now):
            self._rebuild(server)
        self._report(server.backend, server.name, str(server.address))

    def clear_failures(self, server: Server) -> None:
        """Choose the server as any other: it was reached again."""
        server.backoff.clear_failures()
        self._rebuild(server)

    def _rebuild(self, server: Server) -> None:
        backend = self.backends.get(server.backend)
        if backend is not None:
            backend.rebuild()
            if backend.gate is not None:
                backend.gate.freed()

    def capacity_freed(self, server: Server) -> None:
        """Let a waiting request in: a connection to the server is gone or idle."""
        backend = self.backends.get(server.backend)
        if backend is not None and backend.gate is not None:
            backend.gate.freed()

    def admit_waiting(self) -> None:
        """Look at all queues: another worker woke this one, whose requests may go on, or waits for a connection."""
        for backend in self.backends.values():
            if backend.gate is not None:
                backend.gate.pump()


def socket_address(server: Server) -> tuple[int, SocketAddress]:
    """Family and socket address, worked out once."""
    known: tuple[int, SocketAddress] | None = server.connections.socket_address
    if known is None:
        address = server.address
        if address.path:
            known = socket.AF_UNIX, address.sun_path
        else:
            known = socket.AF_INET6 if ":" in address.host else socket.AF_INET, (address.host, address.port)
        server.connections.socket_address = known
    return known
