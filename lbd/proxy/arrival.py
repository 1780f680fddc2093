"""The accept phase of a client connection: its address, the rules for it, and the limits."""

from lbd.net.ip_addresses import unmapped_text
from lbd.net.transport import Transport
from lbd.proxy.deadlines import Deadlines
from lbd.proxy.exchange import CLOSED
from lbd.stats import endings, fields


class Arrival(Deadlines):
    """A connection from accept until its first request may come. `counted`: `peer` is the client itself."""

    __slots__ = ()
    counted = True

    def connection_made(self, transport: Transport) -> None:
        """Admit or reject a new client; it has as long for its first request as for any head."""
        self.transport = transport
        settings = self.listener.settings
        plane = self.plane
        self.deadline = plane.now + settings.timeouts.client_header
        plane.admission.connected(self)
        peer = transport.get_extra_info("source")
        if peer is None:
            peer = _peer(transport)
            if peer is None:
                self.state = CLOSED
                transport.abort()
                return
        self.peer = peer
        if not settings.open:
            self.arrive()

    def arrive(self) -> None:
        """Apply the limits of connections, then the rules by address."""
        limits = self.listener.limits
        ending = limits.connected(self) if limits is not None else 0
        if ending:
            self.turn_away(ending)
        else:
            self.enter()

    def enter(self) -> None:
        """Apply the rules for the client's address."""
        settings = self.listener.settings
        if not settings.peers.admits(self.peer):
            self.listener.row.add(fields.LISTENER_DENIED, 1)
            self.turn_away(endings.DENIED)
            return
        self.trusted = settings.peers.trusts(self.peer)

    def turn_away(self, ending: int, reason: str = "") -> None:
        """Reject the connection: close it before its first request."""
        self.rejected(ending, reason)
        self.state = CLOSED
        self.transport.abort()

    def rejected(self, ending: int, reason: str = "") -> None:
        """Count and log a rejected connection; without a reason the text of the ending is logged."""
        self.plane.count(ending)
        self.listener.rejections.log_rejection(self.peer, ending, reason)


def _peer(transport: Transport) -> bytes | None:
    """The peer's address where the transport does not keep it; None where the connection is reset already."""
    peer = transport.get_extra_info("peername")
    if peer is None:
        return None
    return unmapped_text(peer[0]).partition("%")[0].encode() if isinstance(peer, tuple) else b""
