"""TLS passed through as it is: a `tcp` connection goes where its ClientHello says, of which nothing is decrypted."""

from lbd.downstream.stage import Stage
from lbd.downstream.tcp import TcpConnection
from lbd.routing.target import RouteTarget
from lbd.stats import endings
from lbd.tls import client_hello
from lbd.tls.client_hello import HelloError


class AwaitedHello(Stage):
    """A `tcp` client whose ClientHello is read first. A name that no route takes, and bytes that are no TLS, go to the
    listener's backend, if it has one. The ClientHello has as long as a request head. `buffer`: it so far."""

    buffer = b""

    def data_received(self, data: bytes) -> bool | None:
        """Read the ClientHello, or a part of it."""
        if self.closed:
            return None
        settings = self.peer.listener.settings
        self.buffer += data
        try:
            hello = client_hello.parse(self.buffer)
        except HelloError as error:
            self._send_on(settings.router.default, endings.BAD_CLIENT_HELLO, str(error))
            return None
        if hello is not None:
            routes = settings.tcp.routes if settings.tcp is not None else ()      # a reload may have changed the mode
            found = (route.target for route in routes if route.matches(hello))
            self._send_on(next(found, settings.router.default), endings.NO_ROUTE,
                          f"no route takes the name {hello.name[:255]!r}")
        return None

    def _send_on(self, target: RouteTarget, otherwise: int, reason: str) -> None:
        """Send the connection to the backend of the target; without a backend it ends with `otherwise`."""
        if target.answers is not None:
            self.admission.turn_away(self, otherwise, reason)
            return
        served = TcpConnection(self.admission, self.peer)
        self.transport.set_protocol(served)
        self.closed = True
        served.transport = self.transport
        self.admission.replace(self, served)
        self.transport.pause_reading()
        served.begin(target, self.buffer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a client that left within its ClientHello."""
        if self.buffer and not self.closed:
            self.admission.context.count(endings.CLIENT_CLOSED if exc is None else endings.CLIENT_RESET)
        super().connection_lost(exc)

    def expire(self) -> None:
        """Reject a ClientHello that takes too long."""
        if self.closed:
            self.transport.abort()
        else:
            self.admission.turn_away(self, endings.CLIENT_HELLO_TIMEOUT)
