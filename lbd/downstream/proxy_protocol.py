"""The PROXY protocol: a connection from a trusted proxy begins with the header that names the client."""

import ipaddress

from lbd.downstream.handshake import Handshake, secure
from lbd.downstream.stage import Stage
from lbd.net import proxy_header
from lbd.net.callbacks import Callbacks
from lbd.net.ip_addresses import unmapped
from lbd.net.proxy_header import Header, HeaderError
from lbd.net.transport import Transport
from lbd.stats import endings

CUT = "a header that ends too soon"


class ProxyProtocol(Stage):
    """A connection from a proxy until its header is read, for which it has as long as for a request head. `buffer`: the
    header so far."""

    buffer = b""

    def connection_made(self, transport: Transport) -> None:
        """Reject a proxy that is not trusted; a peer on a Unix socket is."""
        self.transport = transport
        self.peer.counted = False
        if self.admission.connected(self, transport) and self.peer.address \
                and not self.peer.listener.settings.peers.trusted.has(self.peer.address):
            self.admission.turn_away(self, endings.PROXY_UNTRUSTED)

    def data_received(self, data: bytes) -> bool | None:
        """Read the header, or a part of it, and perhaps bytes of the client behind it."""
        if self.closed:
            return None
        self.buffer += data
        try:
            header = proxy_header.parse(self.buffer)
        except HeaderError as error:
            self.admission.turn_away(self, endings.PROXY_HEADER, str(error))
            return None
        return self._introduce(header, self.buffer[header.size:]) if header is not None else None

    def _introduce(self, header: Header, data: bytes) -> bool | None:
        """Hand over to the client that the header names, or to its handshake where TLS ends at the listener; the data
        behind the header is theirs."""
        peer, settings, below = self.peer, self.peer.listener.settings, self.transport
        peer.introduced = header
        if header.source is not None:
            peer.address = _plain(header.source[0])
        if settings.tls is None:
            after = self.serve(self.admission, peer)
            above: Callbacks = after
            transport, seconds = below, settings.timeouts.client_header
        else:
            after = Handshake(self.admission, peer, self.serve)
            above = transport = secure(self.admission, settings, after).attach(below)
            seconds = settings.tls.handshake_timeout
        below.set_protocol(above)
        peer.counted = True
        limits = peer.listener.limits
        full = limits.identified(peer) if limits is not None else 0
        if not self.hand_over(after, transport, seconds):
            return None
        if full:
            self.admission.turn_away(after, full)
            return None
        after.admitted()
        return above.data_received(data) if data else None

    def eof_received(self) -> bool:
        """Reject a header that is cut. A peer that sent nothing at all is no error: health checks connect so."""
        if self.buffer and not self.closed:
            self.admission.turn_away(self, endings.PROXY_HEADER, CUT)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Reject a header that is cut by the end of the connection."""
        if self.buffer and not self.closed:
            self.admission.rejected(self.peer, endings.PROXY_HEADER, CUT)
        super().connection_lost(exc)

    def expire(self) -> None:
        """Reject a header that takes too long."""
        if self.closed:
            self.transport.abort()
        else:
            self.admission.turn_away(self, endings.PROXY_TIMEOUT)


def _plain(address: str) -> bytes:
    """The address as text, an IPv4-mapped one as IPv4."""
    return str(unmapped(ipaddress.ip_address(address))).encode()
