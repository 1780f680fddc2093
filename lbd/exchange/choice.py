"""The choice of a server for an exchange: the one that its client had, else the one that the algorithm takes."""

from lbd.backend.server import Server
from lbd.backend.sticky import stays
from lbd.exchange.streams import Requester
from lbd.stats import endings


def own(exchange: Requester) -> Server | None:
    """The server that the client had, while that keeps its clients."""
    backend = exchange.route.backend
    if exchange.request is None:
        source = backend.sticky_source
        return source.find(exchange.peer.address) if source is not None else None
    server = exchange.preferred if backend.sticky is not None else None
    return server if server is not None and server.keeps_clients() else None


def choice(exchange: Requester) -> Server | None:
    """The server that the client had, else the algorithm's choice."""
    server = own(exchange)
    return server if server is not None else exchange.route.backend.pick(exchange)


def tried(exchange: Requester) -> list[Server]:
    """The servers that failed the request so far."""
    return exchange.retries.tried if exchange.retries is not None else []


def bind_source(exchange: Requester, server: Server) -> None:
    """Bind the address of a tcp client to this server, unless it only went there because its own was full."""
    address, sticky = exchange.peer.address, exchange.route.backend.sticky_source
    if sticky is not None:
        before = sticky.find(address)
        sticky.bind(address, before if before is not None and stays(before, server, tried(exchange)) else server)


def select(exchange: Requester) -> Server | None:
    """A server where the algorithm alone does not decide; None: the request waits, or is refused."""
    backend = exchange.route.backend
    if backend.gate is not None:
        backend.gate.admit(exchange)
        return None
    server = choice(exchange)
    if server is None:
        exchange.refuse(503, endings.NO_SERVER if backend.pool is not None else endings.BACKEND_GONE)
    return server
