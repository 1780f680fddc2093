"""How a client comes in: who it is, whether it may, and whether there are too many already."""


from lbd.net.ip_addresses import unmapped_text
from lbd.net.transport import Transport
from lbd.proxy.deadlines import Deadlines
from lbd.proxy.exchange import CLOSED
from lbd.stats import endings, fields


class Arrival(Deadlines):
    """A connection from its first moment until it may ask for something. `counted`: `peer` is the client itself."""

    __slots__ = ()
    counted = True

    def connection_made(self, transport: Transport) -> None:
        """A client connected; it has as long for its first request as for any head."""
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
        """Somebody connected where not everybody may, or not any number of them."""
        limits = self.listener.limits
        ending = limits.connected(self) if limits is not None else 0
        if ending:
            self.turn_away(ending)
        else:
            self.enter()

    def enter(self) -> None:
        """It is known who the client is: may it come in?"""
        settings = self.listener.settings
        if not settings.peers.admits(self.peer):
            self.listener.row.add(fields.LISTENER_DENIED, 1)
            self.turn_away(endings.DENIED)
            return
        self.trusted = settings.peers.believes(self.peer)

    def turn_away(self, ending: int, reason: str = "") -> None:
        """Close the connection before it has asked for anything."""
        self.rejected(ending, reason)
        self.state = CLOSED
        self.transport.abort()

    def rejected(self, ending: int, reason: str = "") -> None:
        """Count and log that the connection came to nothing; without a reason it is the text of the ending."""
        self.plane.count(ending)
        self.listener.rejections.say(self.peer, ending, reason)


def _peer(transport: Transport) -> bytes | None:
    """The peer's address where the transport does not keep it; None: reset already, there is nothing to judge by."""
    peer = transport.get_extra_info("peername")
    if peer is None:
        return None
    return unmapped_text(peer[0]).partition("%")[0].encode() if isinstance(peer, tuple) else b""
