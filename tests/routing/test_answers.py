"""Answers that need no server."""

from typing import Any

import pytest

from lbd import schema
from lbd.http import head
from lbd.http.message import Head
from lbd.routing.answers import answer, to_https
from lbd.stats import endings


def scanned(target: str = "/", method: str = "GET", *fields: str) -> Head:
    request = head.Request(32768, 100, 8192)
    lines = [f"{method} {target} HTTP/1.1", "Host: Example.com:8080", *fields, "", ""]
    assert request.scan("\r\n".join(lines).encode("latin-1"), 0, b"192.0.2.1", b"http", False) > 0
    return request.message


def parts(reply: bytes) -> tuple[bytes, bytes]:
    first, _, body = reply.partition(b"\r\n\r\n")
    return first, body


def test_no_route() -> None:
    status, reply, ending = answer(None)(scanned(), True, {})
    assert (status, ending) == (404, endings.NO_ROUTE)
    first, body = parts(reply)
    assert first.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\nConnection: keep-alive" in first
    assert body
    status, reply, _ = answer(None)(scanned("/", "GET", "Accept: application/json"), False, {})
    first, body = parts(reply)
    assert b"\r\nConnection: close" in first
    assert body.startswith(b"{")
    given = scanned()
    line = b"\r\nX-Request-Id: " + given.values(b"x-request-id")[0] + b"\r\n"
    assert line in answer(None)(given, True, {})[1]


def test_no_route_with_a_body_of_the_operator() -> None:
    _, reply, _ = answer(None)(scanned(), True, {404: b"<p>Gone fishing</p>"})
    first, body = parts(reply)
    assert body == b"<p>Gone fishing</p>"
    assert b"Content-Type: text/html" in first


@pytest.mark.parametrize(("to", "target", "location"), [
    ("https://{host}{path}", "/a/b?c=d", b"https://example.com/a/b"),
    ("https://{host}{path}?{query}", "/a?c=d&e", b"https://example.com/a?c=d&e"),
    ("/new", "/old", b"/new"),
    ("{path}/", "/a%0d%0aX:%20y", b"/a%0d%0aX:%20y/"),
    ("{path}/", "//evil.example/x", b"/evil.example/x/"),
    ("{path}/", "/\\/evil.example", b"/evil.example/"),
    ("/{path}", "/evil.example/x", b"/evil.example/x"),
    ("//other.example{path}", "/x", b"//other.example/x"),
    ("https://{host}{path}", "//evil.example/x", b"https://example.com//evil.example/x"),
])
def test_redirects(to: str, target: str, location: bytes) -> None:
    made = answer(schema.RouteConfig(redirect=schema.Redirect(to=to, status=308)))
    status, reply, ending = made(scanned(target), True, {})
    assert (status, ending) == (308, endings.ANSWERED)
    assert b"\r\nLocation: " + location + b"\r\n" in reply


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_fixed_answers(method: str) -> None:
    made = answer(schema.RouteConfig(respond=schema.Respond(status=200, body="hello", content_type="text/x")))
    nothing: Any = {}
    status, reply, ending = made(scanned("/", method), True, nothing)
    first, body = parts(reply)
    assert (status, ending) == (200, endings.ANSWERED)
    assert b"\r\nContent-Type: text/x" in first
    assert b"\r\nContent-Length: 5" in first
    assert body == (b"hello" if method == "GET" else b"")


@pytest.mark.parametrize(("port", "target", "location"), [
    (443, "/a%20b?c=d", b"https://example.com/a%20b?c=d"), (8443, "/", b"https://example.com:8443/"),
    (443, "http://example.com:8080/x", b"https://example.com/x"), (443, "*", b"https://example.com/"),
])
def test_to_https(port: int, target: str, location: bytes) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    status, reply, ending = to_https(port)(scanned(target, method), True, {})
    assert (status, ending) == (308, endings.ANSWERED)
    assert b"\r\nLocation: " + location + b"\r\n" in reply


def test_to_https_without_a_host() -> None:
    request = head.Request(32768, 100, 8192)
    assert request.scan(b"GET / HTTP/1.0\r\n\r\n", 0, b"192.0.2.1", b"http", False) > 0
    assert to_https(443)(request.message, False, {})[0] == 404


def test_a_redirect_that_needs_a_host_and_has_none() -> None:
    request = head.Request(32768, 100, 8192)
    assert request.scan(b"GET /a HTTP/1.0\r\n\r\n", 0, b"192.0.2.1", b"http", False) > 0
    redirect = answer(schema.RouteConfig(redirect=schema.Redirect("https://{host}{path}")))
    status, _, ending = redirect(request.message, False, {})
    assert (status, ending) == (404, endings.NO_ROUTE)
    status, reply, _ = answer(schema.RouteConfig(redirect=schema.Redirect("/b")))(request.message, False, {})
    assert status == 302
    assert b"\r\nLocation: /b\r\n" in reply
