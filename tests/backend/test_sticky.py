"""Stickiness by cookie: opaque tokens, which clients are kept, what the server and the client see of the cookie."""

from dataclasses import replace
from typing import Any

import pytest

from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.backend.sticky import Stickiness, attributes, token
from lbd.schema import Sticky
from lbd.schema.units import Address

SECRET = b"s" * 32
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: %b\r\n\r\n"


class Request:
    preferred: Server | None = None
    tried: list[Server] | None = None
    response_edits: Any = None


def server(name: str, **changes: Any) -> Server:
    row: Any = None
    return Server(Endpoint("app", name, Address("10.1.2.3", 80), 0, **changes), row)


def stickiness(*servers: Server, secret: bytes = SECRET, **settings: Any) -> Stickiness:
    return Stickiness("app", replace(Sticky(), **settings), secret, servers)


def admitted(sticky: Stickiness, cookies: bytes) -> tuple[Server | None, bytes]:
    request = Request()
    head = sticky.admit(request, HEAD % cookies)
    return request.preferred, head


def test_tokens_are_opaque_stable_and_differ_by_key_backend_and_server() -> None:
    one = token(SECRET, "app", "a")
    assert one == token(SECRET, "app", "a")
    assert len({one, token(SECRET, "app", "b"), token(SECRET, "api", "a"), token(b"other", "app", "a")}) == 4
    assert len(one) == 24
    assert b"10.1.2.3" not in one


def test_a_client_comes_back_to_its_server_and_the_cookie_stays_here() -> None:
    a, b = server("a"), server("b")
    sticky = stickiness(a, b)
    kept, head = admitted(sticky, b"x=1; LBD=" + token(SECRET, "app", "b") + b"; y=2")
    assert kept is b
    assert head == HEAD % b"x=1; y=2"


def test_a_head_with_no_other_cookie_loses_the_field() -> None:
    a = server("a")
    _, head = admitted(stickiness(a), b"LBD=" + token(SECRET, "app", "a"))
    assert head == b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_the_server_gets_the_cookie_when_it_is_to() -> None:
    a = server("a")
    cookie = b"LBD=" + token(SECRET, "app", "a")
    kept, head = admitted(stickiness(a, pass_cookie=True), cookie)
    assert kept is a
    assert head == HEAD % cookie


@pytest.mark.parametrize("cookie", [
    b"LBD=forged", b"LBD=", b"LBD=" + token(b"another key", "app", "a"), b"LBD=" + token(SECRET, "app", "gone"),
    b"lbd=x",
    b"OTHER=" + token(SECRET, "app", "a"),
])
def test_forged_and_stale_cookies_are_ignored(cookie: bytes) -> None:
    assert admitted(stickiness(server("a")), cookie)[0] is None


@pytest.mark.parametrize(("changes", "keeps"), [
    ({"mode": "drain"}, True),
    ({"weight": 0}, True),
    ({"mode": "maint"}, False),
    ({"health": "down"}, False),
    ({"health": "ejected"}, False),
])
def test_a_draining_server_keeps_its_clients_and_a_dead_one_does_not(changes: dict[str, Any], keeps: bool) -> None:
    a = server("a", **changes)
    kept, _ = admitted(stickiness(a), b"LBD=" + token(SECRET, "app", "a"))
    assert (kept is a) is keeps


def test_a_server_that_is_backed_off_is_replaced() -> None:
    a = server("a")
    a.backoff.mark_failed(1.0)
    assert admitted(stickiness(a), b"LBD=" + token(SECRET, "app", "a"))[0] is None


def test_only_a_client_whose_server_changes_gets_a_cookie() -> None:
    a, b = server("a"), server("b")
    sticky = stickiness(a, b)
    edits = ((b"server",), b"X: y\r\n")
    request = Request()
    request.preferred = a
    sticky.bind(request, a, edits)
    assert request.response_edits == edits
    a.mode = "maint"
    sticky.bind(request, b, edits)
    line = b"Set-Cookie: LBD=" + token(SECRET, "app", "b") + b"; Path=/; SameSite=Lax; HttpOnly\r\n"
    assert request.response_edits == ((b"server",), b"X: y\r\n" + line)
    sticky.bind(request, b, None)
    assert request.response_edits == ((), line)


def test_a_server_at_another_address_is_the_same_to_its_clients() -> None:
    old, new = server("a"), server("a")
    sticky = stickiness(old)
    sticky.follow([new])
    assert admitted(sticky, b"LBD=" + token(SECRET, "app", "a"))[0] is new


def test_attributes() -> None:
    every = Sticky(path="/app", domain="example.com", max_age=3600.0, same_site="None", http_only=False, secure=True)
    assert attributes(every) == b"; Path=/app; Domain=example.com; Max-Age=3600; SameSite=None; Secure"


def test_a_client_whose_server_was_only_full_keeps_its_cookie() -> None:
    a, b = server("a", health="up"), server("b", health="up")
    sticky, request = stickiness(a, b), Request()
    request.preferred = a
    sticky.bind(request, b, None)
    assert request.response_edits is None
    request.tried = [a]
    sticky.bind(request, b, None)
    assert token(SECRET, "app", "b") in request.response_edits[1]
    request.tried, a.mode = None, "maint"
    sticky.bind(request, b, None)
    assert token(SECRET, "app", "b") in request.response_edits[1]
