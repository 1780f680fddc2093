"""Connections to a server: how they are opened, and which of them belong to one client."""

from collections import OrderedDict
from typing import Any

from lbd.tls.contexts import ClientTls

MOST_NAMES = 256         # whose sessions are kept: clients choose them


class ServerConnections:
    """The settings of connections to one server: `tls` secures them (None: plain), `socket_address` is family and
    address for connect(2), set by the first. `named`: the TLS of connections for the names of requests, the one that
    was used last at the end.

    `pinned` holds idle connections of the one client that signed on by them, newest last. Idle connections for any
    request are in the server's own attribute `idle`, which is read for every request.
    """

    __slots__ = ("named", "pinned", "socket_address", "tls")

    def __init__(self) -> None:
        self.pinned: dict[Any, None] = {}
        self.socket_address: tuple[int, Any] | None = None
        self.tls: ClientTls | None = None
        self.named: OrderedDict[str, ClientTls] = OrderedDict()

    def tls_for(self, name: str) -> ClientTls | None:
        """The TLS of a connection for a request of that name, "" for none; with the session of the last one."""
        tls = self.tls
        if tls is None or not name:
            return tls
        known = self.named.get(name)
        if known is None:
            known = self.named[name] = ClientTls(tls.context, name, tls.lenient)
            if len(self.named) > MOST_NAMES:
                self.named.popitem(last=False)
        else:
            self.named.move_to_end(name)
        return known
