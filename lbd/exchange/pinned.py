"""Connections to servers that carry an identity: NTLM, Negotiate and Kerberos sign on a connection, not a request.

Such a connection belongs to one client connection alone until one of the two ends (RFC 4559 6; HAProxy's private
connections). It holds its place of `max_conns` all the while, but none of `max_idle` and `max_requests`. While it rests
it gives its place up to requests that wait: any client can ask to sign on, and would hold it without using it.
"""

import re

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange.streams import Peer, ServerConnection
from lbd.http.message import Head

RESTED = 1.0     # seconds without a request until its place is given up: the next step of a sign-on comes sooner

# The fields of challenges by status, and the schemes in them, also behind others in one field. "Nego" stands for
# Negotiate and Nego2.
CHALLENGES = {401: b"www-authenticate", 407: b"proxy-authenticate"}
SCHEME = re.compile(rb"(?:^|,)[ \t]*(?:NTLM|Nego|Kerberos)", re.IGNORECASE)


def sign_on(peer: Peer, backend: Backend) -> None:
    """Note that the client signs on at the backend, by its connection there and by those that follow."""
    if peer.pins is None:
        peer.pins = {}
    peer.pins.setdefault(backend, None)


def hold(peer: Peer, backend: Backend, connection: ServerConnection) -> None:
    """Keep the connection for the client if it signs on at the backend; it is in use now."""
    connection.server.connections.pinned.pop(connection, None)
    if peer.pins is not None and backend in peer.pins and connection.owner is None:
        peer.pins[backend] = connection
        connection.owner = peer


def resting(peer: Peer, backend: Backend) -> ServerConnection | None:
    """The connection for the client's next request to the backend; None: any other will do, none has an identity.

    A server that keeps no clients (down, in maintenance) loses its connection; one that was removed finishes.
    """
    connection = peer.pins.get(backend) if peer.pins is not None else None
    if connection is not None and (connection.server.health != "up" or connection.server.mode == "maint"):
        let_go(connection)
        connection.close()
        return None
    return connection


def held(peer: Peer) -> list[ServerConnection]:
    """The connections that are the client's alone."""
    return [connection for connection in (peer.pins or {}).values() if connection is not None]


def close(peer: Peer) -> None:
    """Close the connections: the client is gone."""
    for connection in held(peer):
        let_go(connection)
        connection.close()


def let_go(connection: ServerConnection) -> Peer | None:
    """Take the connection from its client, which is returned."""
    owner, connection.owner = connection.owner, None
    connection.server.connections.pinned.pop(connection, None)
    if owner is not None and owner.pins is not None:
        owner.pins.update({backend: None for backend, known in owner.pins.items() if known is connection})
    return owner


def rested(server: Server, now: float) -> ServerConnection | None:
    """The connection to the server that rests with its client for longest, if that is long enough; else None."""
    connection: ServerConnection | None = next(iter(server.connections.pinned), None)
    return connection if connection is not None and now - connection.since >= RESTED else None


def challenged(head: Head) -> bool:
    """The answer asks for a scheme that signs on the connection."""
    field = CHALLENGES.get(head.status)
    return field is not None and any(SCHEME.search(value) for value in head.values(field))


def end(connection: ServerConnection) -> None:
    """End the idle client's connection with that to the server: it would go on without its identity."""
    owner = let_go(connection)
    if owner is not None and owner.connection is not None and owner.connection.idle:
        owner.connection.dismiss()
