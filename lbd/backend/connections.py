"""Connections to a server: how they are opened, and which of them belong to one client."""

from typing import Any

from lbd.tls.contexts import ClientTls


class ServerConnections:
    """The settings of connections to one server: `tls` secures them (None: plain), `socket_address` is family and
    address for connect(2), set by the first.

    `pinned` holds idle connections of the one client that signed on by them, newest last. Idle connections for any
    request are in the server's own attribute `idle`, which is read for every request.
    """

    __slots__ = ("pinned", "socket_address", "tls")

    def __init__(self) -> None:
        self.pinned: dict[Any, None] = {}
        self.socket_address: tuple[int, Any] | None = None
        self.tls: ClientTls | None = None
