"""The admission of clients in one worker: the connections that there are, their limits, and the rules by address."""

import sys
from collections.abc import Callable, Iterable

from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import ClientConnection, Peer
from lbd.log.logger import logger
from lbd.net.ip_addresses import unmapped_text
from lbd.net.stream import Sock
from lbd.net.transport import Transport
from lbd.routing.listener import Listener
from lbd.stats import endings, fields
from lbd.tls.handshake_limiter import HandshakeLimiter

CONNECTIONS, ACCEPTED = fields.LISTENER_CONNECTIONS, fields.LISTENER_ACCEPTED


class ClientAdmission:
    """The client connections of one worker, `clients`. `limit` is how many there may be at a time: at it, accepting
    pauses. `listeners` are those in force; `gone` is called when a connection is gone, while that is `watched`."""

    def __init__(self, context: WorkerContext, listeners: Callable[[], Iterable[Listener]],
                 gone: Callable[[], None]) -> None:
        self.context = context
        self.clients: set[ClientConnection] = set()
        self.limit = sys.maxsize
        self.paused = self.watched = False
        self.handshakes = HandshakeLimiter(context.loop)
        self._listeners = listeners
        self._gone = gone

    def connected(self, connection: ClientConnection, transport: Transport) -> bool:
        """Count a new connection, which has as long for its first request as for any head; False where the limits turn
        it away."""
        peer = connection.peer
        connection.deadline = self.context.now + peer.listener.client_header
        return self.add(connection, peer, transport)

    def add(self, connection: ClientConnection, peer: Peer, transport: Transport) -> bool:
        """Count a new connection, and leave its deadline alone; False where the limits turn it away."""
        listener, clients = peer.listener, self.clients
        peer.transport, peer.connection = transport, connection
        clients.add(connection)
        listener.row.both(CONNECTIONS, ACCEPTED)
        if len(clients) >= self.limit and not self.paused:
            listener.row.add(fields.LISTENER_LIMITED, 1)
            self.keep_limit()
        address = peer_address(transport)
        if address is None:
            connection.stop(endings.CLIENT_RESET)
            return False
        peer.address = address
        ending = listener.limits.connected(peer) if listener.limits is not None else 0
        if ending:
            self.turn_away(connection, ending)
        return not ending

    def enter(self, connection: ClientConnection) -> bool:
        """Apply the rules for the client's address; False where the connection is turned away."""
        peer = connection.peer
        settings = peer.listener.settings
        if settings.open:
            return True
        if not settings.peers.admits(peer.address):
            peer.listener.row.add(fields.LISTENER_DENIED, 1)
            self.turn_away(connection, endings.DENIED)
            return False
        peer.trusted = settings.peers.trusts(peer.address)
        return True

    def replace(self, before: ClientConnection, after: ClientConnection) -> None:
        """Put the next stage of a connection in the place of the one before."""
        self.clients.discard(before)
        self.clients.add(after)
        after.peer.connection = after

    def disconnected(self, connection: ClientConnection) -> None:
        """Forget a connection that is gone."""
        peer = connection.peer
        listener = peer.listener
        self.clients.discard(connection)
        listener.row.add(CONNECTIONS, -1)
        if listener.limits is not None:
            listener.limits.disconnected(peer)
        peer.transport = peer.connection = None
        if self.paused:
            self.keep_limit()
        if self.watched:
            self._gone()

    def turn_away(self, connection: ClientConnection, ending: int, reason: str = "") -> None:
        """Reject the connection: close it before its first request."""
        self.rejected(connection.peer, ending, reason)
        connection.stop(ending)

    def rejected(self, peer: Peer, ending: int, reason: str = "") -> None:
        """Count and log a rejected connection; without a reason the text of the ending is logged."""
        self.context.count(ending)
        peer.listener.rejections.log_rejection(peer.address, ending, reason)

    def keep_limit(self) -> None:
        """Accept while there are fewer clients than the limit."""
        count = len(self.clients)
        full = self.limit <= count
        if full == self.paused:
            return
        self.paused = full
        if full:
            logger.warning("connection limit reached, accepting pauses", connections=count)
        for listener in self._listeners():
            for acceptor in listener.acceptors:
                if full:
                    acceptor.pause()
                else:
                    acceptor.resume()


def peer_address(transport: Transport) -> bytes | None:
    """The peer's address as text, b"" on a Unix socket; None where the connection is reset already."""
    if isinstance(transport, Sock):
        sock = transport        # asked without a lookup
        source = sock.source
    else:
        source = transport.source
    if source is not None:
        return source
    name = transport.get_extra_info("peername")
    if name is None:
        return None
    return unmapped_text(name[0]).partition("%")[0].encode() if isinstance(name, tuple) else b""
