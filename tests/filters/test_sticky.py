"""Cookies that keep clients with their server: what the server and the client see of them."""

from dataclasses import replace
from typing import Any

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.backend.sticky import Stickiness, token
from lbd.exchange.retry import Retries
from lbd.exchange.streams import Requester
from lbd.filters.sticky import StickyCookie
from lbd.http.message import Head
from lbd.schema import Sticky
from lbd.schema.units import Address

from .asked import CONTEXT, NOTHING, answer, exchange, place, request

SECRET = b"s" * 32
COOKIE = "LBD=" + token(SECRET, "app", "b").decode()
LINE = token(SECRET, "app", "b") + b"; Path=/; SameSite=Lax; HttpOnly"


def server(name: str, **changes: Any) -> Server:
    return Server(Endpoint("app", name, Address("10.1.2.3", 80), 0, **changes), NOTHING)


def asked(cookies: str, **settings: Any) -> tuple[StickyCookie, Requester, Head]:
    """The filter, and an exchange and its head which it saw; the servers are a and b."""
    wanted = replace(Sticky(), **settings)
    made = exchange(Backend("app", NOTHING))
    backend = made.route.backend
    backend.servers = {(name, ""): server(name) for name in "ab"}
    backend.sticky = Stickiness("app", wanted, SECRET, backend.servers.values())
    one = StickyCookie.of(place(sticky=wanted), CONTEXT)
    assert one is not None
    head = request(f"Cookie: {cookies}") if cookies else request()
    one.on_request(made, head)
    return one, made, head


def test_a_client_comes_back_to_its_server_and_the_cookie_stays_here() -> None:
    _, made, head = asked(f"x=1; {COOKIE}; y=2")
    assert made.preferred is made.route.backend.servers["b", ""]
    assert head.values(b"cookie") == [b"x=1; y=2"]


def test_a_head_with_no_other_cookie_loses_the_field() -> None:
    assert asked(COOKIE)[2].text == request().text


def test_the_server_gets_the_cookie_when_it_is_to() -> None:
    _, made, head = asked(COOKIE, pass_cookie=True)
    assert made.preferred is not None
    assert head.values(b"cookie") == [COOKIE.encode()]


def test_other_cookies_pass_as_they_are() -> None:
    for cookies in ("lbd=x", "OTHER=" + COOKIE[4:], ""):
        _, made, head = asked(cookies)
        assert made.preferred is None
        assert head.original == b""


def test_only_a_client_whose_server_changes_gets_a_cookie() -> None:
    one, made, _ = asked(COOKIE)
    made.server = made.preferred
    head = answer()
    one.on_response(made, head)
    assert head.values(b"set-cookie") == []
    one, made, _ = asked("")
    made.server = made.route.backend.servers["b", ""]
    one.on_response(made, head)
    assert head.values(b"set-cookie") == [b"LBD=" + LINE]
    made.server = None      # lbd's own answer
    head = answer()
    one.on_response(made, head)
    assert head.values(b"set-cookie") == []


def test_a_client_whose_server_was_only_full_keeps_its_cookie() -> None:
    one, made, _ = asked("LBD=" + token(SECRET, "app", "a").decode())
    own, made.server = made.preferred, made.route.backend.servers["b", ""]
    assert own is not None
    head = answer()
    one.on_response(made, head)
    assert head.values(b"set-cookie") == []
    made.retries = Retries(made.route.backend, 0.0)
    made.retries.tried.append(own)
    one.on_response(made, head)
    assert head.values(b"set-cookie") == [b"LBD=" + LINE]


def test_a_backend_without_stickiness() -> None:
    assert StickyCookie.of(place(), CONTEXT) is None
