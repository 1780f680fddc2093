"""Stickiness by cookie: opaque tokens, which clients are kept, what the server and the client see of the cookie."""

from dataclasses import replace
from typing import Any

import pytest

from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.backend.sticky import Stickiness, attributes, stays, token
from lbd.schema import Sticky
from lbd.schema.units import Address

SECRET = b"s" * 32


def server(name: str, **changes: Any) -> Server:
    row: Any = None
    return Server(Endpoint("app", name, Address("10.1.2.3", 80), 0, **changes), row)


def stickiness(*servers: Server, secret: bytes = SECRET, **settings: Any) -> Stickiness:
    return Stickiness("app", replace(Sticky(), **settings), secret, servers)


def test_tokens_are_opaque_stable_and_differ_by_key_backend_and_server() -> None:
    one = token(SECRET, "app", "a")
    assert one == token(SECRET, "app", "a")
    assert len({one, token(SECRET, "app", "b"), token(SECRET, "api", "a"), token(b"other", "app", "a")}) == 4
    assert len(one) == 24
    assert b"10.1.2.3" not in one


@pytest.mark.parametrize("value", [
    b"forged", b"", token(b"another key", "app", "a"), token(SECRET, "app", "gone"), token(SECRET, "api", "a")])
def test_forged_and_stale_cookies_are_ignored(value: bytes) -> None:
    assert stickiness(server("a")).find(value) is None


@pytest.mark.parametrize(("changes", "keeps"), [
    ({"mode": "drain"}, True),
    ({"weight": 0}, True),
    ({"mode": "maint"}, False),
    ({"health": "down"}, False),
    ({"health": "ejected"}, False),
])
def test_a_draining_server_keeps_its_clients_and_a_dead_one_does_not(changes: dict[str, Any], keeps: bool) -> None:
    a = server("a", **changes)
    kept = stickiness(a).find(token(SECRET, "app", "a"))
    assert (kept is a) is keeps


def test_a_server_that_is_backed_off_is_replaced() -> None:
    a = server("a")
    a.backoff.mark_failed(1.0)
    assert stickiness(a).find(token(SECRET, "app", "a")) is None


def test_the_field_that_gives_the_cookie() -> None:
    sticky = stickiness(server("a"), server("b"))
    attributes = b"; Path=/; SameSite=Lax; HttpOnly\r\n"
    assert sticky.line(server("b")) == b"Set-Cookie: LBD=" + token(SECRET, "app", "b") + attributes
    assert sticky.line(server("c")) == b""


def test_a_server_at_another_address_is_the_same_to_its_clients() -> None:
    old, new = server("a"), server("a")
    sticky = stickiness(old)
    sticky.follow([new])
    assert sticky.find(token(SECRET, "app", "a")) is new


def test_attributes() -> None:
    every = Sticky(path="/app", domain="example.com", max_age=3600.0, same_site="None", http_only=False, secure=True)
    assert attributes(every) == b"; Path=/app; Domain=example.com; Max-Age=3600; SameSite=None; Secure"


def test_a_client_stays_unless_its_server_fails() -> None:
    a, b = server("a", health="up"), server("b", health="up")
    assert stays(a, a, None)
    assert stays(a, b, None)        # its own was only full
    assert not stays(a, b, [a])
    assert not stays(None, b, None)
    a.update(a.endpoint._replace(mode="maint"))
    assert not stays(a, b, None)
