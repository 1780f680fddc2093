"""The choice of a server: the one that the client had, while it keeps its clients, else the algorithm's."""

from typing import Any

import pytest

from lbd.backend.server import Server
from lbd.backend.sticky import Stickiness
from lbd.exchange import choice
from lbd.exchange.retry import Retries
from lbd.exchange.streams import Peer, Requester
from lbd.http.message import Head
from lbd.schema import Sticky as Wanted
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Record
from tests.built import BOARD, server, target

NOTHING: Any = None


def had_by_somebody(keeps_clients: bool = True) -> Server:
    """A server."""
    made = server()
    made.gone = not keeps_clients
    return made


class Sticky:
    """Remembers the servers of sources."""

    def __init__(self, **known: Any) -> None:
        self.known: dict[bytes, Any] = {name.encode(): server for name, server in known.items()}

    def find(self, source: bytes) -> Any:
        return self.known.get(source)

    def bind(self, source: bytes, server: Any) -> None:
        self.known[source] = server


PICKED = had_by_somebody()


def exchange(request: Head | None = None, preferred: Server | None = None, cookie: Stickiness | None = None,
             source: Any = None, tried: list[Server] | None = None, address: bytes = b"a") -> Requester:
    made = Requester(Peer(NOTHING), Record(BOARD.row(0, scoreboard.PROCESS, 0)))
    made.peer.address = address
    made.route = target()
    backend = made.route.backend
    backend.sticky, backend.sticky_source, backend.pick = cookie, source, lambda exchange: PICKED
    made.request, made.preferred = request, preferred
    if tried is not None:
        made.retries = Retries(backend, 0.0)
        made.retries.tried = tried
    return made


REQUEST, COOKIE = Head(b"GET / HTTP/1.1\r\n\r\n"), Stickiness("app", Wanted(), b"", ())


def test_the_server_of_the_cookie() -> None:
    had = had_by_somebody()
    assert choice.choice(exchange(REQUEST, had, COOKIE)) is had
    assert choice.choice(exchange(REQUEST, None, COOKIE)) is PICKED


@pytest.mark.parametrize(("had", "cookie"), [(had_by_somebody(False), COOKIE), (had_by_somebody(), None)])
def test_a_server_that_keeps_no_clients_and_a_backend_that_does_not_stick(had: Server,
                                                                         cookie: Stickiness | None) -> None:
    assert choice.own(exchange(REQUEST, had, cookie)) is None
    assert choice.choice(exchange(REQUEST, had, cookie)) is PICKED


def test_the_server_of_the_source_of_a_tcp_connection() -> None:
    had = had_by_somebody()
    sticky = Sticky(a=had)
    assert choice.choice(exchange(source=sticky)) is had
    assert choice.choice(exchange(source=sticky, address=b"b")) is PICKED
    assert choice.choice(exchange(preferred=had)) is PICKED      # no source sticks there


def test_servers_that_failed() -> None:
    first = had_by_somebody()
    assert choice.tried(exchange()) == []
    assert choice.tried(exchange(tried=[first])) == [first]


def test_a_source_is_bound_to_its_first_server() -> None:
    sticky, server = Sticky(), had_by_somebody()
    choice.bind_source(exchange(source=sticky), server)
    assert sticky.find(b"a") is server
    choice.bind_source(exchange(), server)


@pytest.mark.parametrize(("keeps", "failed", "stays"), [
    (True, False, True), (False, False, False), (True, True, False)])
def test_a_source_stays_with_its_server_that_was_full(keeps: bool, failed: bool, stays: bool) -> None:
    had, other = had_by_somebody(keeps), had_by_somebody()
    sticky = Sticky(a=had)
    choice.bind_source(exchange(source=sticky, tried=[had] if failed else None), other)
    assert sticky.find(b"a") is (had if stays else other)
