"""TLS passed through as it is: a `tcp` connection goes where its ClientHello says, of which nothing is decrypted."""


from lbd.proxy.exchange import CLOSED, READING
from lbd.proxy.tcp import TcpClient
from lbd.routing.router import RouteTarget
from lbd.stats import endings
from lbd.tls import client_hello
from lbd.tls.client_hello import HelloError


class Passthrough(TcpClient):
    """A `tcp` client whose ClientHello is read first. A name that no route takes, and bytes that are no TLS, go to the
    listener's backend, if it has one. The ClientHello has as long as a request head."""

    __slots__ = ()

    def begin(self) -> None:
        """The client may speak."""

    def data_received(self, data: bytes) -> bool | None:
        """A ClientHello, or a part of it; then bytes as any others."""
        if self.state > READING:
            return super().data_received(data)
        settings = self.listener.settings
        self.buffer += data
        try:
            hello = client_hello.parse(self.buffer)
        except HelloError as error:
            self._send_on(settings.router.default, endings.BAD_CLIENT_HELLO, str(error))
            return None
        if hello is None:
            self.state = READING
        else:
            routes = settings.tcp.routes if settings.tcp is not None else ()      # a reload may have changed the mode
            found = (route.target for route in routes if route.matches(hello))
            self._send_on(next(found, settings.router.default), endings.NO_ROUTE,
                          f"no route takes the name {hello.name[:255]!r}")
        return None

    def _send_on(self, target: RouteTarget, otherwise: int, reason: str) -> None:
        """Send the connection to the backend of the target; without a backend it ends with `otherwise`."""
        if target.answers is not None:
            self.turn_away(otherwise, reason)
        else:
            self.transport.pause_reading()
            self.choose(target)

    def expire(self) -> None:
        """Reject a ClientHello that takes too long; later deadlines are those of any client."""
        if self.state <= READING:
            self.turn_away(endings.CLIENT_HELLO_TIMEOUT)
        elif self.state != CLOSED:
            super().expire()
        else:
            self.transport.abort()
