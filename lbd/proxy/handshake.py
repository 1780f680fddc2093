"""A connection on a listener with TLS until the handshake is done: then an ordinary client takes its place."""

import ssl
from typing import Any

from lbd.http import replies
from lbd.net.secure import NotTls
from lbd.net.transport import Transport
from lbd.proxy.client import Client
from lbd.proxy.exchange import CLOSED
from lbd.stats import endings

# Endings by OpenSSL's reason; all others are handshakes that failed.
REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": endings.TLS_CERTIFICATE,
    "CERTIFICATE_VERIFY_FAILED": endings.TLS_CERTIFICATE,
    "HTTP_REQUEST": endings.TLS_PLAIN,
    "CALLBACK_FAILED": endings.TLS_NAME,
    "NO_APPLICATION_PROTOCOL": endings.TLS_PROTOCOL,
}

LEFT = (endings.CLIENT_CLOSED, endings.CLIENT_RESET)    # the client did: nothing was refused


class Handshake(Client):
    """A client connection during the TLS handshake, for which it has `handshake_timeout`."""

    __slots__ = ()

    def connection_made(self, transport: Transport) -> None:
        """Start the deadline of the handshake."""
        super().connection_made(transport)
        settings = self.listener.settings
        self.deadline = self.plane.now + (settings.tls.handshake_timeout if settings.tls is not None
                                          else settings.timeouts.client_header)

    def secured(self) -> None:
        """The handshake is done."""
        client, kind = self, self.plane.admission.kind_of(self.listener)
        if kind.__basicsize__ == Handshake.__basicsize__:
            self.__class__ = kind       # it has the same fields: an object and a record of requests less
        else:
            client = self._succeeded(kind)
        client.deadline = self.plane.now + self.listener.settings.timeouts.client_header
        if not self.listener.settings.open:
            client.enter()

    def _succeeded(self, kind: Any) -> Any:
        """The client in its place, one of a kind with more fields."""
        client = kind(self.plane, self.listener)
        client.transport = self.transport
        client.peer = self.peer
        client.introduced = self.introduced
        self.plane.timers.clients.remove(self)
        self.plane.timers.clients.add(client)
        self.state = CLOSED
        self.transport.set_protocol(client)
        return client

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a handshake that failed, and log it unless the client just left: that is how health checks connect."""
        if self.state != CLOSED and exc is not None:
            found = ending(exc)
            if found in LEFT:
                self.plane.count(found)
            else:
                self.rejected(found, str(exc))
        self.state = CLOSED
        super().connection_lost(exc)

    def expire(self) -> None:
        """Reject a handshake that takes too long."""
        if self.state != CLOSED:
            self.rejected(endings.TLS_TIMEOUT)
        self.state = CLOSED
        self.transport.abort()


def plain() -> bytes:
    """The answer to a client that speaks HTTP to a port of TLS."""
    return replies.fixed(400, b"400 Bad Request: this port speaks HTTPS, write https://\n", replies.TEXT, False)


def ending(exc: Exception) -> int:
    """The ending of a handshake that failed by this error."""
    if isinstance(exc, NotTls):
        return endings.TLS_PLAIN
    if isinstance(exc, ssl.SSLError):
        return REASONS.get(exc.reason or "", endings.TLS_FAILED)
    return endings.CLIENT_RESET if isinstance(exc, ConnectionResetError) else endings.CLIENT_CLOSED
