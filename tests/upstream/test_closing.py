"""Connections to servers that end: those that have something to send have their time."""

from types import SimpleNamespace
from typing import Any

from lbd.upstream.closing import CLOSE_SECONDS, ClosingConnections, close_idle


class Connection:
    """A connection and its transport, which holds so many bytes."""

    def __init__(self, server: Any = None, held: int = 1) -> None:
        self.server = server
        self.held = held
        self.end = ""

    def get_write_buffer_size(self) -> int:
        return self.held

    def close(self) -> None:
        self.end = "closed"
        self.server.idle.pop(self)

    def abort(self) -> None:
        self.end = "aborted"


def test_connections_that_do_not_close_are_cut() -> None:
    context: Any = SimpleNamespace(now=5.0)
    closing = ClosingConnections(context)
    slow, gone, empty = connections = Connection(), Connection(), Connection(held=0)
    for connection in connections:
        transport: Any = connection
        closing.add(transport, transport)
    closing.discard(transport)
    left: Any = gone
    closing.discard(left)
    closing.tick(4.9 + CLOSE_SECONDS)
    assert slow.end == ""
    closing.tick(5.0 + CLOSE_SECONDS)
    closing.tick(6.0 + CLOSE_SECONDS)
    assert [connection.end for connection in (slow, gone, empty)] == ["aborted", "", ""]


def test_close_idle() -> None:
    server: Any = SimpleNamespace(idle={})
    connections = [Connection(server) for _ in range(3)]
    server.idle.update(dict.fromkeys(connections))
    close_idle(server)
    assert {connection.end for connection in connections} == {"closed"}
