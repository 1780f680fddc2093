"""Tests of lbd.config.routes: what a route must have, and which earlier route takes all of its requests."""

import pytest

from lbd.config import routes
from lbd.config.routes import covers, hides
from lbd.errors import ConfigError
from lbd.schema import RouteConfig
from tests.config.conftest import WHOLE, Directory, cases


def of_route(directory: Directory, keys: str) -> list[str]:
    return directory.errors(WHOLE + f"[[listeners.web.routes]]\n{keys}\n")


@pytest.mark.parametrize(("keys", "error"), cases("wrong_routes.txt"))
def test_what_a_route_must_have(directory: Directory, keys: str, error: str) -> None:
    assert of_route(directory, keys) == [f"lbd.toml:{error}"]


@pytest.mark.parametrize(("prefix", "strip"), [("/v1/", "/v1"), ("/v1", "/v1/"), ("/v1/", "/v1/"), ("/a/b", "/a"),
                                               ("/a", "/")])
def test_prefixes_that_can_be_stripped(directory: Directory, prefix: str, strip: str) -> None:
    assert of_route(directory, f"backend = 'app'\npath_prefix = '{prefix}'\nstrip_prefix = '{strip}'") == []


def test_the_backend_of_the_listener(directory: Directory) -> None:
    text = '[listeners.web]\nbind = "*:80"\nbackend = "x"\n'
    assert directory.errors(text) == [
        'lbd.toml:3:1: listeners.web.backend: "x" is no backend; there is none yet: [backends.NAME]']


def test_hidden_routes_are_warned_of(directory: Directory) -> None:
    text = ("[[listeners.web.routes]]\npath_prefix = '/a'\nbackend = 'app'\n"
              "[[listeners.web.routes]]\npath = '/b'\nbackend = 'app'\n"
              "[[listeners.web.routes]]\npath = '/a/b'\nbackend = 'app'\n")
    assert directory.warnings(WHOLE + text) == [
        "lbd.toml:12:17: listeners.web.routes[2]: never reached: listeners.web.routes[0] (lbd.toml:6) takes all of its "
        "requests"]


def test_what_could_not_be_read_hides_nothing(directory: Directory) -> None:
    text = ("[[listeners.web.routes]]\nhost = 'a:80'\nbackend = 'app'\n"
              "[[listeners.web.routes]]\nmethod = 'get'\nbackend = 'app'\n"
              "[[listeners.web.routes]]\npath = '/b'\nbackend = 'app'\n")
    with pytest.raises(ConfigError) as caught:
        directory.read(WHOLE + text)
    assert len(caught.value.problems) == 2
    assert caught.value.warnings == []


@pytest.mark.parametrize(("earlier", "later", "hidden"), [
    (RouteConfig(), RouteConfig(path="/a"), True),
    (RouteConfig(host="a.b"), RouteConfig(host="a.b"), True),
    (RouteConfig(host="a.b"), RouteConfig(), False),
    (RouteConfig(host="*.b"), RouteConfig(host="a.b"), True),
    (RouteConfig(host="*.b"), RouteConfig(host="*.a.b"), True),
    (RouteConfig(host="*.a.b"), RouteConfig(host="*.b"), False),
    (RouteConfig(host="*.b"), RouteConfig(host="b"), False),
    (RouteConfig(path="/a"), RouteConfig(path="/a"), True),
    (RouteConfig(path="/a"), RouteConfig(path_prefix="/a"), False),
    (RouteConfig(path_prefix="/a"), RouteConfig(path="/a"), True),
    (RouteConfig(path_prefix="/a/"), RouteConfig(path="/a"), False),
    (RouteConfig(path_prefix="/a"), RouteConfig(path_prefix="/ab"), False),
    (RouteConfig(path_prefix="/a"), RouteConfig(path_prefix="/a/"), True),
    (RouteConfig(path_prefix="/"), RouteConfig(path_regex=".*"), False),
    (RouteConfig(path_regex="/[a-z]+"), RouteConfig(path="/a"), True),
    (RouteConfig(path_regex="/[a-z]+"), RouteConfig(path="/A"), False),
    (RouteConfig(path_regex="a"), RouteConfig(path_regex="a"), True),
    (RouteConfig(path_regex="a"), RouteConfig(), False),
    (RouteConfig(method=("GET", "HEAD")), RouteConfig(method=("GET",)), True),
    (RouteConfig(method=("GET",)), RouteConfig(method=("GET", "POST")), False),
    (RouteConfig(method=("GET",)), RouteConfig(), False),
    (RouteConfig(header={"X-A": "*"}), RouteConfig(header={"x-a": "1", "y": "2"}), True),
    (RouteConfig(header={"X-A": "1"}), RouteConfig(header={"x-a": "1"}), True),
    (RouteConfig(header={"X-A": "1"}), RouteConfig(header={"x-a": "*"}), False),
    (RouteConfig(header={"X-A": "*"}), RouteConfig(), False),
    (RouteConfig(host="a.b", path_prefix="/a"), RouteConfig(host="a.b", path="/a", method=("GET",)), True),
])
def test_hides(earlier: RouteConfig, later: RouteConfig, hidden: bool) -> None:
    assert hides(earlier, later) is hidden


@pytest.mark.parametrize(("prefix", "path", "covered"), [
    ("/", "/a", True), ("/a", "/a", True), ("/a", "/a/b", True), ("/a", "/ab", False), ("/a/", "/a", False),
    ("", "/a", True)])
def test_covers(prefix: str, path: str, covered: bool) -> None:
    assert covers(prefix, path) is covered


def test_many_routes_are_compared_with_few(monkeypatch: pytest.MonkeyPatch, directory: Directory) -> None:
    compared = []
    monkeypatch.setattr(routes, "hides", lambda earlier, later: compared.append(later) or hides(earlier, later))
    text = "".join(f"[[listeners.web.routes]]\nhost = 'h{n}.{name}.example'\npath = '/{name}'\nbackend = 'app'\n"
                   for n in range(300) for name in ("a", "b"))
    text += "".join(f"[[listeners.web.routes]]\npath_prefix = '/p{n}/'\nbackend = 'app'\n" for n in range(300))
    text += "[[listeners.web.routes]]\nhost = 'x'\npath = '/p7/x'\nbackend = 'app'\n"
    (warning,) = directory.warnings(WHOLE + text)
    assert "listeners.web.routes[900]: never reached: listeners.web.routes[607]" in warning
    assert len(compared) < 10


def test_the_comparison_has_a_bound(monkeypatch: pytest.MonkeyPatch, directory: Directory) -> None:
    monkeypatch.setattr(routes, "MOST_COMPARED", 3)
    one = "[[listeners.web.routes]]\nmethod = '{}'\nbackend = 'app'\n"
    text = "".join(one.format(method) for method in ("A", "B", "C", "C", "D"))
    assert directory.warnings(WHOLE + text) == []
