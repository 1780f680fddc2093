"""TLS passed through as it is: a `tcp` connection goes where its ClientHello says, of which nothing is decrypted."""

from collections.abc import Sequence
from typing import NamedTuple

from lbd import schema
from lbd.proxy.exchange import CLOSED, READING
from lbd.proxy.tcp import TcpClient
from lbd.routing.router import RouteTarget, host_matches
from lbd.stats import endings
from lbd.tls import client_hello
from lbd.tls.client_hello import ClientHello, HelloError


class HelloMatcher(NamedTuple):
    """One route made ready: which names and protocols it takes, and where they go."""

    sni: str | None
    alpn: frozenset[bytes]
    action: RouteTarget

    def matches(self, hello: ClientHello) -> bool:
        """The client asks for the name, and for one of the protocols."""
        if self.sni is not None and not (hello.name and host_matches(self.sni, hello.name)):
            return False
        return not self.alpn or not self.alpn.isdisjoint(hello.protocols)


def hello_matchers(routes: Sequence[tuple[schema.RouteConfig, RouteTarget]]) -> tuple[HelloMatcher, ...]:
    """The routes of a `tcp` listener, in order."""
    return tuple(HelloMatcher(route.sni, frozenset(name.encode() for name in route.alpn), action)
                 for route, action in routes)


class Passthrough(TcpClient):
    """A `tcp` client that has to say first for whom it is. What no route takes, and what is no TLS, goes to the
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
            self._send_on(settings.action, endings.BAD_CLIENT_HELLO, str(error))
            return None
        if hello is None:
            self.state = READING
        else:
            found = (route.action for route in settings.passthrough if route.matches(hello))
            self._send_on(next(found, settings.action), endings.NO_ROUTE,
                          f"no route takes the name {hello.name[:255]!r}")
        return None

    def _send_on(self, action: RouteTarget, otherwise: int, reason: str) -> None:
        """To the action's backend; where there is none the connection ends so."""
        if action.answers is not None:
            self.turn_away(otherwise, reason)
        else:
            self.transport.pause_reading()
            self.choose(action)

    def expire(self) -> None:
        """The ClientHello takes too long, or what any client may be too late with."""
        if self.state <= READING:
            self.turn_away(endings.CLIENT_HELLO_TIMEOUT)
        elif self.state != CLOSED:
            super().expire()
        else:
            self.transport.abort()
