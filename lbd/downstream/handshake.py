"""The TLS handshake of a client connection: then the connection that serves takes its place."""

import ssl

from lbd.downstream.admission import ClientAdmission
from lbd.downstream.stage import Stage
from lbd.http import replies
from lbd.net.secure import NotTls, Secure
from lbd.net.transport import Transport
from lbd.routing.listener import ListenerSettings
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


class Handshake(Stage):
    """A client connection during the TLS handshake, for which it has `handshake_timeout`."""

    def connection_made(self, transport: Transport) -> None:
        """Start the deadline of the handshake."""
        super().connection_made(transport)
        settings = self.peer.listener.settings
        if settings.tls is not None:
            self.deadline = self.admission.context.now + settings.tls.handshake_timeout

    def secured(self) -> None:
        """Hand over to the connection that serves: the handshake is done."""
        if self.closed:
            return
        served = self.serve(self.admission, self.peer)
        self.transport.set_protocol(served)
        if self.hand_over(served, self.transport, self.peer.listener.settings.timeouts.client_header):
            served.admitted()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a handshake that failed, and log it unless the client just left: that is how health checks connect."""
        if not self.closed and exc is not None:
            found = ending(exc)
            if found in LEFT:
                self.admission.context.count(found)
            else:
                self.admission.rejected(self.peer, found, str(exc))
        super().connection_lost(exc)

    def expire(self) -> None:
        """Reject a handshake that takes too long."""
        if not self.closed:
            self.admission.rejected(self.peer, endings.TLS_TIMEOUT)
        self.stop(endings.TLS_TIMEOUT)


def secure(admission: ClientAdmission, settings: ListenerSettings, handshake: Handshake) -> Secure:
    """The end of TLS below the handshake of a client."""
    assert settings.tls is not None
    return Secure(settings.tls.server_tls.context, handshake, admission.handshakes,
                  None if settings.tcp is not None else plain)


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
