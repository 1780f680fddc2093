"""Stickiness by source: a source keeps its server while that keeps clients; backends do not mix."""

from typing import Any

import pytest

from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.backend.sticky_source import SourceStickiness
from lbd.schema.units import Address
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.sources import SourceTable


def server(name: str, **changes: Any) -> Server:
    row: Any = None
    return Server(Endpoint("app", name, Address("10.1.2.3", 80), 0, **changes), row)


@pytest.fixture
def sources() -> SourceTable:
    board = Board.create(1)
    board.row(0, scoreboard.PROCESS, 0)
    return SourceTable(board, 0)


def test_a_source_keeps_its_server(sources: SourceTable) -> None:
    a, b = server("a"), server("b")
    sticky = SourceStickiness("app", 60.0, [a, b], sources)
    assert sticky.find(b"192.0.2.1") is None
    sticky.bind(b"192.0.2.1", b)
    assert sticky.find(b"192.0.2.1") is b
    assert sticky.find(b"192.0.2.2") is None


def test_a_server_that_may_not_keep_clients_is_not_found(sources: SourceTable) -> None:
    a = server("a")
    sticky = SourceStickiness("app", 60.0, [a], sources)
    sticky.bind(b"192.0.2.1", a)
    a.update(a.endpoint._replace(mode="drain"))
    assert sticky.find(b"192.0.2.1") is a
    a.update(a.endpoint._replace(health="down"))
    assert sticky.find(b"192.0.2.1") is None
    sticky.follow([])
    assert sticky.find(b"192.0.2.1") is None


def test_backends_do_not_mix_and_unix_peers_have_no_source(sources: SourceTable) -> None:
    a = server("a")
    one, other = (SourceStickiness(name, 60.0, [a], sources) for name in ("app", "api"))
    one.bind(b"192.0.2.1", a)
    assert other.find(b"192.0.2.1") is None
    one.bind(b"", a)
    assert one.find(b"") is None
