"""Connections to servers that carry an identity: NTLM, Negotiate and Kerberos sign on a connection, not a request.

Such a connection belongs to one client connection alone until one of the two ends (RFC 4559 6; HAProxy's private
connections). It holds its place of `max_conns` all the while, but none of `max_idle` and `max_requests`. While it rests
it gives its place up to requests that wait: any client can ask to sign on, and would hold it without using it.
"""

import re
from typing import Any

from lbd.http import head

CHALLENGES = (401, 407)
RESTED = 1.0     # seconds without a request until its place is given up: the next step of a sign-on comes sooner

# The schemes of a challenge, also behind others in one field. "Nego" stands for Negotiate and Nego2.
SCHEME = re.compile(rb"(?:^|,)[ \t]*(?:NTLM|Nego|Kerberos)", re.IGNORECASE)


class Pins:
    """The backends at which one client connection signs on, with its connection to each; None: there is none now."""

    __slots__ = ("by",)

    def __init__(self) -> None:
        self.by: dict[Any, Any] = {}

    def hold(self, client: Any, upstream: Any) -> None:
        """Keep the connection for the client if it signs on at its backend; it is in use now."""
        backend = client.backend
        upstream.server.connections.pinned.pop(upstream, None)
        if backend in self.by and upstream.owner is None:
            self.by[backend] = upstream
            upstream.owner = client

    def resting(self, backend: Any) -> Any:
        """The connection for the client's next request to the backend; None: any other will do, none has an identity.

        A server that keeps no clients (down, in maintenance) loses its connection; one that was removed finishes.
        """
        upstream = self.by.get(backend)
        if upstream is None:
            return None
        server = upstream.server
        if server.health != "up" or server.mode == "maint":
            let_go(upstream)
            upstream.close()
            return None
        return upstream

    def held(self) -> list[Any]:
        """The connections."""
        return [upstream for upstream in self.by.values() if upstream is not None]

    def close(self) -> None:
        """Close the connections: the client is gone."""
        for upstream in self.held():
            let_go(upstream)
            upstream.close()


def sign_on(client: Any) -> None:
    """Note that the client signs on at the backend of its request, by this connection and by those that follow."""
    if client.pins is None:
        client.pins = Pins()
    client.pins.by.setdefault(client.backend, None)


def let_go(upstream: Any) -> Any:
    """Take the connection from its client, which is returned."""
    owner, upstream.owner = upstream.owner, None
    upstream.server.connections.pinned.pop(upstream, None)
    if owner is not None:
        by = owner.pins.by
        by.update({backend: None for backend, held in by.items() if held is upstream})
    return owner


def rested(server: Any, now: float) -> Any:
    """The connection to the server that rests with its client for longest, if that is long enough; else None."""
    upstream = next(iter(server.connections.pinned), None)
    return upstream if upstream is not None and now - upstream.since >= RESTED else None


def challenged(status: int, answer: bytes) -> bool:
    """The head of an answer asks for a scheme that signs on the connection."""
    names = {401: b"www-authenticate", 407: b"proxy-authenticate"}
    return status in names and any(SCHEME.search(value) for value in head.values(answer, names[status]))


def read_answer(upstream: Any, client: Any, flags: int, data: bytes) -> int:
    """Follow what an answer says of the connection's identity; the head was just read, and is read anew where the
    client's connection must end with it because the server's does."""
    response = upstream.response
    if challenged(response.status, response.out) and flags & head.KEEP:
        sign_on(client)
        client.pins.hold(client, upstream)
    if upstream.owner is not None and client.keep and (not flags & head.KEEP or upstream.server.gone):
        client.keep = False
        flags = response.scan(data, 0, client.head_only, client.minor, False)
    return flags


def end(upstream: Any) -> None:
    """End the idle client's connection with that to the server: it would go on without its identity."""
    owner = let_go(upstream)
    if owner is not None and owner.idle and not owner.buffer:
        owner.dismiss()


def connections(client: Any) -> list[tuple[Any, Any]]:
    """The client's connections, with their backends."""
    held = [] if client.pins is None else [(backend, upstream) for backend, upstream in client.pins.by.items()
                                           if upstream is not None]
    return held if client.upstream is None else [*held, (client.backend, client.upstream)]


def forsake(client: Any, servers: Any) -> None:
    """Cut the client's connections to servers that are down."""
    for upstream in client.pins.held():
        if upstream.server in servers and upstream.client is None:
            upstream.abort()
