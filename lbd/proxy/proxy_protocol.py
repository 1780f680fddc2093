"""The PROXY protocol: a connection from a trusted proxy begins with the header that names the client."""

import ipaddress
from typing import Any

from lbd.net import proxy_header
from lbd.net.ip_addresses import unmapped
from lbd.net.proxy_header import Header, HeaderError
from lbd.proxy.client import Client
from lbd.proxy.exchange import CLOSED, READING
from lbd.proxy.handshake import Handshake
from lbd.stats import endings

CUT = "a header that ends too soon"


class ProxyProtocol(Client):
    """A connection from a proxy until its header is read, for which it has as long as for a request head. Then an
    ordinary client takes its place."""

    __slots__ = ()
    counted = False

    def enter(self) -> None:
        """Reject a proxy that is not trusted; a peer on a Unix socket is."""
        if self.peer and not self.listener.settings.peers.trusted.has(self.peer):
            self.turn_away(endings.PROXY_UNTRUSTED)

    def data_received(self, data: bytes) -> bool | None:
        """Read the header, or a part of it, and perhaps bytes of the client behind it."""
        if self.state == CLOSED:
            return None
        data = self.buffer + data
        try:
            header = proxy_header.parse(data)
        except HeaderError as error:
            self.turn_away(endings.PROXY_HEADER, str(error))
            return None
        if header is None:
            self.state = READING
            self.buffer = data
            return None
        client, above = self._introduce(header)
        rest = data[header.size:]
        return above.data_received(rest) if rest and client.state != CLOSED else None

    def _introduce(self, header: Header) -> tuple[Client, Any]:
        """The client, and the receiver of the bytes that follow: TLS where it ends at the listener, else the client."""
        settings, transport = self.listener.settings, self.transport
        if settings.tls is None:
            client = above = self.plane.admission.kind_of(self.listener)(self.plane, self.listener)
            client.transport = transport
        else:
            client = Handshake(self.plane, self.listener)
            client.transport = above = self.plane.admission.secure(settings, client).attach(transport)
        client.introduced = header
        client.peer = self.peer if header.source is None else _plain(header.source[0])
        handshake = settings.tls.handshake_timeout if settings.tls is not None else 0.0
        client.deadline = self.plane.now + (handshake or settings.timeouts.client_header)
        self.plane.timers.clients.remove(self)
        self.plane.timers.clients.add(client)
        self.state = CLOSED
        transport.set_protocol(above)
        limits = self.listener.limits
        ending = limits.identified(client) if limits is not None else 0
        if ending:
            client.turn_away(ending)
        else:
            client.enter()
        return client, above

    def eof_received(self) -> bool:
        """Reject a header that is cut. A peer that sent nothing at all is no error: health checks connect so."""
        if self.state == READING:
            self.turn_away(endings.PROXY_HEADER, CUT)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Reject a header that is cut by the end of the connection."""
        if self.state == READING:
            self.rejected(endings.PROXY_HEADER, CUT)
        self.state = CLOSED
        super().connection_lost(exc)

    def expire(self) -> None:
        """Reject a header that takes too long."""
        if self.state == CLOSED:
            self.transport.abort()
        else:
            self.turn_away(endings.PROXY_TIMEOUT)


def _plain(address: str) -> bytes:
    """The address as text, an IPv4-mapped one as IPv4."""
    return str(unmapped(ipaddress.ip_address(address))).encode()
