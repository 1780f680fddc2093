"""The matchers of routes in `tcp` mode: by the name and the protocols of a ClientHello."""

from collections.abc import Sequence
from typing import NamedTuple

from lbd import schema
from lbd.routing.router import host_matches
from lbd.routing.target import RouteTarget
from lbd.tls.client_hello import ClientHello


class HelloMatcher(NamedTuple):
    """The names and protocols that a route takes, and its target."""

    sni: str | None
    alpn: frozenset[bytes]
    target: RouteTarget

    def matches(self, hello: ClientHello) -> bool:
        """Whether the client requests the name and one of the protocols."""
        if self.sni is not None and not (hello.name and host_matches(self.sni, hello.name)):
            return False
        return not self.alpn or not self.alpn.isdisjoint(hello.protocols)


def hello_matchers(routes: Sequence[tuple[schema.RouteConfig, RouteTarget]]) -> tuple[HelloMatcher, ...]:
    """The routes of a `tcp` listener, in order."""
    return tuple(HelloMatcher(route.sni, frozenset(name.encode() for name in route.alpn), target)
                 for route, target in routes)
