"""The explanation of a connection in `tcp` mode: which route its ClientHello takes, and which server it gets."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qs

from lbd import schema
from lbd.exchange.streams import Peer
from lbd.report.explained_choice import ExplainedRequest, choose
from lbd.routing.hello_matcher import HelloMatcher
from lbd.routing.listener import ListenerSettings
from lbd.stats.scoreboard import Board, Record
from lbd.tls.client_hello import ClientHello

SCHEMES = ("tcp", "tls")
TIMEOUTS = ("client_header", "connect", "queue", "tunnel", "half_closed")


def hello(parts: SplitResult) -> ClientHello | None:
    """The ClientHello of the client of `tls://NAME[:PORT][?alpn=PROTOCOL,PROTOCOL]`; None for `tcp://`."""
    if parts.scheme != "tls":
        return None
    protocols = [word.encode() for text in parse_qs(parts.query).get("alpn", ()) for word in text.split(",")]
    return ClientHello((parts.hostname or "").lower(), tuple(protocols))


def explain(said: ClientHello | None, peer: Peer, record: Record, settings: schema.ListenerConfig,
            board: Board) -> dict[str, Any]:
    """The explanation as JSON; nothing is written to the board."""
    listener: ListenerSettings = peer.listener.settings
    answer: dict[str, Any] = {"admitted": listener.peers.admits(peer.address), "introduced": listener.proxy_protocol}
    matchers = listener.tcp.routes if listener.tcp is not None else ()
    routes = list(_routes(settings.routes, matchers, said))
    taken = routes[-1]["route"] if routes and routes[-1]["matches"] else None
    target = listener.router.default if taken is None else matchers[taken].target
    answer |= {"routes": routes, "route": taken}
    if target.answers is not None:
        reason = "no route takes it, and the listener has no backend: the connection is closed"
        return {**answer, "refused": {"status": None, "reason": reason}}
    backend, connection = target.backend, ExplainedRequest(peer, record, target, None)
    client = peer.address.decode()
    backend.sticky = None      # cookies are of http
    if backend.sticky_source is not None:
        connection.preferred = backend.sticky_source.find(peer.address)
    choice = choose(backend, connection, board)
    choice.pop("server")
    choice["why"] = choice["why"].removesuffix(": 503")
    if backend.sticky_source is not None:
        choice["sticky"] = {"source": client, "server": connection.preferred.name if connection.preferred else None}
    return {**answer, **choice, "client": client,
            "timeouts": {name: getattr((settings if name.startswith("client_") else backend.settings).timeouts, name)
                         for name in TIMEOUTS}}


def _routes(settings: Sequence[schema.RouteConfig], routes: Sequence[HelloMatcher], said: ClientHello | None
            ) -> Iterator[dict[str, Any]]:
    """Every route up to the one that is taken, with what kept the connection from it."""
    for place, (route, matcher) in enumerate(zip(settings, routes, strict=True)):
        wrong = mismatches(matcher, said)
        yield {"route": place, "backend": route.backend, "matches": not wrong, "mismatch": "; ".join(wrong)}
        if not wrong:
            return


def mismatches(matcher: HelloMatcher, said: ClientHello | None) -> list[str]:
    """The parts of the route that do not match."""
    if said is None:
        return ["the connection does not begin with TLS"]
    wrong = []
    if not matcher._replace(alpn=frozenset()).matches(said):
        wrong.append(f"name {said.name} is not {matcher.sni}")
    if not matcher._replace(sni=None).matches(said):
        offered = b", ".join(said.protocols).decode() or "none"
        wrong.append(f"protocols {offered}: none of {b', '.join(sorted(matcher.alpn)).decode()}")
    return wrong
