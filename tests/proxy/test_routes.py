"""The routes of a listener: which have filters, and where those of the operator cannot be had."""

from pathlib import Path

import pytest

from lbd.errors import LbdError
from lbd.filters.chain import Chain
from lbd.proxy.assembly import Assembly, Prepared
from lbd.stats.scoreboard import Board
from tests.rig import configuration, generation

CONFIG = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "plain"
{listener}
[[listeners.web.routes]]
path = "/fixed"
respond = {{ body = "x" }}
[[listeners.web.routes]]
path_prefix = "/edited"
backend = "edited"
{route}
[backends.plain]
servers = {{ a = "127.0.0.1:9" }}
[backends.edited]
request_headers = {{ set = {{ X-A = "1" }}, remove = ["X-B"] }}
response_headers = {{ remove = ["Server"] }}
host = "inside"
{backend}
servers = {{ b = "127.0.0.1:8" }}
"""


def prepared(directory: Path, listener: str = "", route: str = "", backend: str = "") -> Prepared:
    text = CONFIG.format(listener=listener, route=route, backend=backend)
    return Assembly(Board.create(1), 0).prepare(generation(configuration(text, directory)), {}, {})


def test_routes_without_filters_are_plain(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    router = made.listeners["web"][1].router
    fixed, edited = (matcher.target for _, matcher in router.routes)
    assert set(made.chains) == {edited}
    assert (router.default.plain, fixed.plain, edited.plain) == (True, False, False)
    assert edited.removed == (b"x-a", b"x-b", b"host")
    assert edited.response_removed == (b"server",)


def test_a_listener_with_filters_has_an_entrance(tmp_path: Path) -> None:
    made = prepared(tmp_path, listener='filters = ["tests.filters.own:Rewriting"]')
    settings = made.listeners["web"][1]
    assert len(made.chains) == 4
    [entrance] = [target for target, chain in made.chains.items() if chain.entrance]
    [edited] = [target for _, matcher in settings.router.routes for target in [matcher.target] if target.removed]
    assert entrance.removed == (b"host", b"x-a", b"x-b")
    chain = made.chains[edited]
    assert isinstance(chain, Chain)
    assert [type(one).__name__ for one in chain.filters] == ["Rewriting", "Headers", "Host"]


@pytest.mark.parametrize(("place", "where"), [
    ("listener", r"listeners\.web\.filters\.0"), ("route", r"listeners\.web\.routes\.1\.filters\.0"),
    ("backend", r"backends\.edited\.filters\.0")])
def test_what_cannot_be_had_is_said_with_its_place(tmp_path: Path, place: str, where: str) -> None:
    with pytest.raises(LbdError, match=rf"{where}: cannot load 'nowhere:X'"):
        prepared(tmp_path, **{place: 'filters = ["nowhere:X"]'})
