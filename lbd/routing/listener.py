"""A listener in one worker: its settings in the generation in force, and the sockets that it accepts from."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lbd import schema
from lbd.http import head
from lbd.http.message import Head
from lbd.net.ip_addresses import unmapped
from lbd.routing.connection_limits import Bounds, ConnectionLimits
from lbd.routing.hello_matcher import HelloMatcher, hello_matchers
from lbd.routing.rejections import Rejections
from lbd.routing.router import Router
from lbd.routing.target import RouteTarget
from lbd.schema.units import UNIX, Proxy
from lbd.stats.scoreboard import Row
from lbd.tls.contexts import ServerTls

REMEMBERED = 4096        # addresses for which the result is kept
LONGEST = 64             # bytes of an address as text, zone and all


class TlsTermination(NamedTuple):
    """The end of TLS at a listener. `handshake_timeout`: seconds."""

    server_tls: ServerTls
    handshake_timeout: float


class TcpRules(NamedTuple):
    """The routes of a listener in `tcp` mode, by the ClientHello; none where TLS is not looked into."""

    routes: tuple[HelloMatcher, ...] = ()


class ListenerSettings:
    """The settings of a listener in one generation. `request` is its scanner: read before anything else is scanned.

    `open`: every peer may connect and none is trusted, so there is nothing to check when one connects. `tcp` is None in
    `http` mode, `tls` where TLS does not end here. `certified`: some listener asks for certificates. `entrance`:
    the target of all requests, which are to be filtered before they are routed.
    """

    __slots__ = ("bounds", "client_idle", "logged", "max_body", "open", "peers", "proto", "proxy_protocol",
                 "request", "route", "router", "tcp", "timeouts", "tls", "underscores")

    def __init__(self, settings: schema.ListenerConfig, trusted: Sequence[Proxy], router: Router,
                 tls: TlsTermination | None = None, certified: bool = False,
                 entrance: RouteTarget | None = None) -> None:
        self.request = head.Request(settings.max_head, settings.max_headers, settings.max_uri, settings.forwarded,
                                    settings.underscores, certified)
        self.underscores = settings.underscores
        self.router = router
        self.route: Callable[[Head], RouteTarget] = router.route if entrance is None else lambda _head: entrance
        self.tcp = TcpRules(hello_matchers(router.given)) if settings.mode == "tcp" else None
        self.proxy_protocol = settings.proxy_protocol
        self.logged = settings.access_log
        self.bounds = Bounds(settings.max_connections, settings.max_connections_per_client, settings.accept_rate)
        self.max_body = settings.max_body
        self.timeouts = settings.timeouts
        self.client_idle = settings.timeouts.client_idle
        self.tls = tls
        self.proto = b"http" if tls is None else b"https"
        self.peers = PeerRules(settings.allow, settings.deny, trusted)
        self.open = not (self.tcp is not None or settings.allow or settings.deny or trusted or any(self.bounds))


class PeerRules:
    """The rules by the address of a peer: whether it may connect, and whether it is trusted as a proxy. `trusted` are
    the networks of such proxies."""

    __slots__ = ("_allow", "_deny", "trusted", "trusts")

    def __init__(self, allow: Sequence[Proxy], deny: Sequence[Proxy], trusted: Sequence[Proxy]) -> None:
        self._allow = Membership(allow) if allow else None
        self._deny = Membership(deny) if deny else None
        self.trusted = Membership(trusted)
        self.trusts: Callable[[bytes], bool] = self.trusted.has if trusted else trusts_nobody

    def admits(self, peer: bytes) -> bool:
        """Whether the peer may connect; peers on Unix sockets have no address and always may."""
        if not peer:
            return True
        if self._deny is not None and self._deny.has(peer):
            return False
        return self._allow is None or self._allow.has(peer)


class Membership:
    """Whether an address lies in one of some networks; IPv4-mapped IPv6 addresses count as IPv4. Peers on Unix sockets
    have the address b"", which lies in "unix"."""

    def __init__(self, networks: Sequence[Proxy]) -> None:
        self.networks = tuple(network for network in networks if not isinstance(network, str))
        self.unix = UNIX in networks
        self.remembered: dict[bytes, bool] = {}

    def has(self, address: bytes) -> bool:
        """Whether the address lies in a network, looked up once per address; text that is no address lies in none."""
        known = self.remembered.get(address)
        if known is None:
            if len(address) > LONGEST:
                return False
            if len(self.remembered) >= REMEMBERED:
                self.remembered.clear()
            known = self.remembered[address] = self._has(address)
        return known

    def _has(self, address: bytes) -> bool:
        if not address:
            return self.unix
        try:
            parsed = ipaddress.ip_address(address.decode("ascii", "replace").partition("%")[0])
        except ValueError:
            return False
        parsed = unmapped(parsed)
        return any(parsed in network for network in self.networks)


def trusts_nobody(_peer: bytes) -> bool:
    """No proxy is trusted."""
    return False


class Listener:
    """A listener, which lives as long as its name; a reload swaps its `settings`. `leaving`: no further request on any
    connection. `client_header`: seconds that a new connection has for its first request."""

    __slots__ = ("acceptors", "client_header", "leaving", "limits", "name", "rejections", "row", "settings")

    def __init__(self, name: str, row: Row, settings: ListenerSettings) -> None:
        self.name = name
        self.row = row
        self.acceptors: list[Any] = []
        self.rejections = Rejections(name)
        self.limits: ConnectionLimits | None = None      # where the number of connections is bounded
        self.apply_settings(settings)
        self.leaving = False

    def apply_settings(self, settings: ListenerSettings) -> None:
        """Put other settings in force."""
        self.settings = settings
        self.client_header = settings.timeouts.client_header
        if not any(self.settings.bounds):
            self.limits = None
        elif self.limits is None:
            self.limits = ConnectionLimits(self.row, self.settings.bounds)
        else:
            self.limits.bounds = self.settings.bounds

    def close(self) -> None:
        """Accept the connections that wait already, and then no more."""
        for acceptor in self.acceptors:
            acceptor.drain()
        self.acceptors.clear()
