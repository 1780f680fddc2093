"""Which requests take which route, and what becomes of their head."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lbd.http import head
from lbd.http.message import Head
from lbd.routing.router import LONGEST, REMEMBERED, Router, host_matches
from tests import built
from tests.rig import configuration

CONFIG = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{routes}
[backends.app.servers]
a = "127.0.0.1:9"
"""


class NumberedRouter(Router):
    """A router that says the number of the route which a request takes."""

    def number(self, request: Head) -> int:
        return self.route(request).index


Make = Callable[..., NumberedRouter]


@pytest.fixture
def router(tmp_path: Path) -> Make:
    """Makes a router of route tables; the number of each is its place, -1 where none matches."""
    def make(*routes: str) -> NumberedRouter:
        text = "".join(f"[[listeners.web.routes]]\nbackend = 'app'\n{route}\n" for route in routes)
        wanted = configuration(CONFIG.format(routes=text), tmp_path).listeners["web"].routes
        return NumberedRouter([(one, built.target(index)) for index, one in enumerate(wanted)], built.target())
    return make


def scanned(target: str = "/", host: str = "example.com", method: str = "GET", *fields: str) -> Head:
    request = head.Request(32768, 100, 8192)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]
    assert request.scan("\r\n".join(lines).encode("latin-1"), 0, b"192.0.2.1", b"http", False) > 0
    return request.message


@pytest.mark.parametrize(("pattern", "name", "matches"), [
    (None, "anything", True), ("example.com", "example.com", True), ("example.com", "www.example.com", False),
    ("*.example.com", "www.example.com", True), ("*.example.com", "a.b.example.com", True),
    ("*.example.com", "example.com", False), ("*.example.com", ".example.com", False),
    ("*.example.com", "notexample.com", False), ("example.com", "", False)])
def test_host_patterns(pattern: str | None, name: str, matches: bool) -> None:
    assert host_matches(pattern, name) is matches


@pytest.mark.parametrize("host", ["Example.COM", "example.com:8080", "EXAMPLE.com.", "example.com"])
def test_hosts_match_without_case_and_port(router: Make, host: str) -> None:
    made = router("host = 'example.com'")
    assert made.number(scanned(host=host)) == 0
    assert made.number(scanned(host="other.com")) == -1


@pytest.mark.parametrize(("condition", "matching", "others"), [
    ("path = '/login'", ["/login", "/login?next=/", "/%6cogin", "/./login", "/x/../login", "//../login"],
     ["/login/", "/Login", "/loginx", "/", "/x/login"]),
    ("path_prefix = '/v1'", ["/v1", "/v1/", "/v1/x?y", "/%761/x", "/a/../v1/x", "/v1/../v1"],
     ["/v10", "/v1x", "/v1/../v2", "/v1/%2e%2e/v2", "/V1", "/"]),
    ("path_prefix = '/v1/'", ["/v1/", "/v1/x"], ["/v1", "/v1x"]),
    ("path_prefix = '/'", ["/", "/anything", "/%00"], ["*"]),
    ("path_regex = '/v[0-9]+/.*'", ["/v1/", "/v22/x", "/%761/x", "/x/../v1/"], ["/v/", "/xv1/", "/v1"]),
    ("path_regex = '(a|a)*b'", [], ["/" + "a" * 5000]),
    ("method = 'POST'", [], ["/"]),
    ("path_prefix = '/a b'", ["/a%20b", "/a%20b/c"], ["/a+b"]),
])
def test_paths_match_decoded_and_free_of_dot_segments(
        router: Make, condition: str, matching: list[str], others: list[str]) -> None:
    made = router(condition)
    for target in matching:
        assert made.number(scanned(target)) == 0, target
    for target in others:
        method = "OPTIONS" if target == "*" else "GET"
        assert made.number(scanned(target, "example.com", method)) == -1, target


def test_methods_and_header_fields(router: Make) -> None:
    made = router("method = ['GET', 'HEAD']\nheader = { X-A = '1' }", "header = { x-b = '*' }", "method = 'PURGE'")
    assert made.number(scanned("/", "e", "GET", "X-A: 1")) == 0
    assert made.number(scanned("/", "e", "HEAD", "x-a: 1")) == 0
    assert made.number(scanned("/", "e", "POST", "X-A: 1")) == -1
    assert made.number(scanned("/", "e", "GET", "X-A: 2")) == -1
    assert made.number(scanned("/", "e", "GET", "X-A: 2", "X-A: 1")) == 0
    assert made.number(scanned("/", "e", "POST", "X-B: whatever")) == 1
    assert made.number(scanned("/", "e", "PURGE")) == 2


def test_the_first_match_wins(router: Make) -> None:
    made = router("path = '/a'", "path_prefix = '/a'", "host = 'example.com'", "path_prefix = '/b'")
    assert made.number(scanned("/a")) == 0
    assert made.number(scanned("/a/b")) == 1
    assert made.number(scanned("/b")) == 2
    assert made.number(scanned("/b", "other.com")) == 3
    assert made.number(scanned("/c", "other.com")) == -1


def test_the_guard_changes_no_answer(router: Make) -> None:
    guarded = router("path_prefix = '/api/'", "path = '/x'")
    unguarded = router("path_prefix = '/api/'", "path = '/x'", "path_regex = '/never/matched'")
    for target in ("/", "/api", "/api/", "/api/x", "/x", "/x?a", "/%61pi/x", "/y/../api/x", "/y/../x", "/api/../x",
                   "/api/%2e%2e/x", "/.%2e/x", "/ap", "/x/", "/x/."):
        assert guarded.number(scanned(target)) == unguarded.number(scanned(target)), target


def test_hosts_that_are_remembered_are_bounded(router: Make) -> None:
    made = router("host = 'example.com'")
    for number in range(REMEMBERED + 10):
        assert made.number(scanned(host=f"h{number}.example.org")) == -1
    made.number(scanned(host="x" * (LONGEST + 1)))
    assert len(made.remembered) <= REMEMBERED
    assert max(map(len, made.remembered)) <= LONGEST


def test_hosts_are_looked_up_and_the_first_match_still_wins(router: Make) -> None:
    made = router("host = '*.b.example'", "path = '/x'", "host = 'a.b.example'", "host = '*.example'", "path = '/y'")
    for host, target, place in (("a.b.example", "/", 0), ("c.a.b.example", "/y", 0), ("b.example", "/", 3),
                                ("b.example", "/x", 1), ("example", "/", -1), ("example", "/y", 4),
                                ("z.example", "/y", 3)):
        assert made.number(scanned(target, host)) == place, (host, target)
    assert router("host = 'a.b.example'", "host = '*.b.example'").number(scanned("/", "a.b.example")) == 0


def test_made_up_hosts_share_what_they_may_take(router: Make) -> None:
    made = router("host = '*.example'", "host = 'a.example'", "path = '/'")
    found = {id(made._remember(f"h{n}.example".encode())) for n in range(50)}
    assert len(found) == 1
    assert len({id(made._remember(f"h{n}.test".encode())) for n in range(50)}) == 1


def test_doubled_slashes_are_one_where_routes_match(router: Make) -> None:
    made = router("path_prefix = '/admin'", "path = '/a//b'")
    for target in ("//admin", "/admin//x", "///admin/", "/%2Fadmin", "/.//admin"):
        assert made.number(scanned(target)) == 0
        assert scanned(target).target == target.encode()
    assert made.number(scanned("/a/b")) == made.number(scanned("/a//b")) == 1
