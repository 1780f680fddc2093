"""The matchers of routes in `tcp` mode: names, protocols, and both."""

import pytest

from lbd import schema
from lbd.backend.backend import Backend
from lbd.routing.hello_matcher import hello_matchers
from lbd.routing.target import RouteTarget
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board
from lbd.tls.client_hello import ClientHello


@pytest.mark.parametrize(("sni", "alpn", "name", "protocols", "matches"), [
    ("a.test", (), "a.test", (), True), ("a.test", (), "b.test", (), False), ("a.test", (), "", (), False),
    ("*.a.test", (), "x.a.test", (), True), ("*.a.test", (), "a.test", (), False),
    (None, ("h2",), "", (b"http/1.1", b"h2"), True), (None, ("h2",), "", (b"http/1.1",), False),
    ("a.test", ("h2",), "a.test", (), False), (None, (), "", (), True),
])
def test_names_and_protocols(sni: str | None, alpn: tuple[str, ...], name: str, protocols: tuple[bytes, ...],
                             matches: bool) -> None:
    row = Board.create(1).row(0, scoreboard.PROCESS, 0)
    matcher, = hello_matchers([(schema.RouteConfig(sni=sni, alpn=alpn), RouteTarget(row, Backend("", row)))])
    assert matcher.matches(ClientHello(name, protocols)) is matches
