"""Connections to servers that are being closed: they send what was written to them, for some seconds at most."""

from lbd.backend.server import Server
from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import ServerConnection
from lbd.net.transport import Transport

CLOSE_SECONDS = 10.0                   # for a closed connection to send the rest


class ClosingConnections:
    """The connections of one worker that end."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._ends: dict[ServerConnection, tuple[float, Transport]] = {}

    def add(self, connection: ServerConnection, transport: Transport) -> None:
        """Cut the connection in a while, unless all is sent before."""
        if transport.get_write_buffer_size():
            self._ends[connection] = self._context.now + CLOSE_SECONDS, transport

    def discard(self, connection: ServerConnection) -> None:
        """Forget a connection that is gone."""
        self._ends.pop(connection, None)

    def tick(self, now: float) -> None:
        """Cut the connections whose time is over."""
        for connection, (ends, transport) in list(self._ends.items()):
            if ends <= now:
                del self._ends[connection]
                transport.abort()


def close_idle(server: Server) -> None:
    """Close the idle connections to a server."""
    for connection in list(server.idle):
        connection.close()
