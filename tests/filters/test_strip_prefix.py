"""The rest of a path, which is sent on."""

import pytest

from lbd import schema
from lbd.filters.strip_prefix import StripPrefix
from lbd.http.head import Request

from .asked import CONTEXT, exchange, place, request


@pytest.mark.parametrize(("target", "stripped"), [
    ("/api", "/"), ("/api/", "/"), ("/api/x", "/x"), ("/api/x%2Fy?q=/api", "/x%2Fy?q=/api"), ("/api?x", "/?x"),
    ("/%61pi/x", "/x"), ("/./api/x%20y", "/x%20y"), ("/api/x/../../api/y", "/y"), ("/api/x/%2e%2E/y", "/y"),
    ("/api/.hidden", "/.hidden"), ("/other", "/other"), ("/apix", "/apix")])
def test_a_prefix_is_taken_off_by_whole_segments(target: str, stripped: str) -> None:
    route = schema.RouteConfig(path_prefix="/api", backend="app", strip_prefix="/api")
    made = StripPrefix.of(place(route), CONTEXT)
    assert made is not None
    head = request(target=target)
    made.on_request(exchange(), head)
    assert head.text.startswith(f"GET {stripped} HTTP/1.1\r\n".encode())
    assert "/api" in made.describe()
    scanner = Request(32768, 100, 8192)
    assert scanner.scan(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 0, b"192.0.2.1", b"http", False) > 0
    made.on_request(exchange(), scanner.message)
    assert scanner.message.target == stripped.encode()
    assert not scanner.message.plain


def test_most_routes_strip_nothing() -> None:
    assert StripPrefix.of(place(), CONTEXT) is None
    assert StripPrefix.of(place(schema.RouteConfig(path_prefix="/api", backend="app")), CONTEXT) is None
