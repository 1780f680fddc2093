"""Own algorithms: loaded, guarded, counted, and served by round robin when they fail."""

import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from lbd import schema
from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance import build
from lbd.balance.plugin import QUIET, PluginAlgorithm
from lbd.errors import LbdError
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import BACKEND
from tests.balance.fleet import Fleet, Request, picks

CONF = Path(__file__).parents[2] / "conf"


class Last(Algorithm):
    """Chooses the last server, unless `fault` makes it do something wrong."""

    fault: Any = None

    def rebuild(self, servers: Sequence[Server]) -> None:
        if self.fault == "rebuild":
            raise OSError("no table")
        self.servers = servers

    def pick(self, request: RequestFacts) -> Server:
        if callable(self.fault):
            answer: Server = self.fault()
            return answer
        return self.servers[-1]


def late() -> Any:
    scoreboard.freeze(scoreboard.now() + 0.0015)


@pytest.fixture(autouse=True)
def _module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = types.ModuleType("operators")
    module.__dict__.update(Last=Last, number=5, Nothing=type("Nothing", (), {}))
    monkeypatch.setitem(sys.modules, "operators", module)
    scoreboard.freeze(1000.0)
    yield
    Last.fault = None


def own(fleet: Fleet) -> PluginAlgorithm:
    algorithm = build(schema.AlgorithmConfig("operators:Last"), fleet.context())
    assert isinstance(algorithm, PluginAlgorithm)
    algorithm.enroll(fleet.servers)
    algorithm.rebuild(fleet.servers)
    return algorithm


def counted(fleet: Fleet, field: int) -> float:
    return fleet.board.total(BACKEND, 0, field)


def test_chooses_what_the_class_says() -> None:
    assert picks(own(Fleet([1, 1, 1])), 4) == ["s2"] * 4


@pytest.mark.parametrize(("fault", "field", "reason"), [
    (lambda: 1 / 0, fields.BACKEND_FALLBACKS_ERROR, "ZeroDivisionError"),
    (lambda: None, fields.BACKEND_FALLBACKS_WRONG, "something else"),
    (lambda: [], fields.BACKEND_FALLBACKS_ERROR, "TypeError"),
    (late, fields.BACKEND_FALLBACKS_WRONG, "something else"),
])
def test_falls_back_to_round_robin_counts_and_says_so_once_a_minute(fault: Any, field: int, reason: str) -> None:
    fleet = Fleet([1, 1])
    algorithm = own(fleet)
    Last.fault = staticmethod(fault)
    with capture_logs() as lines:
        assert picks(algorithm, 4) == ["s0", "s1", "s0", "s1"]
        assert [reason in line["reason"] for line in lines] == [True]
        assert lines[0]["backend"] == "app"
        scoreboard.freeze(scoreboard.now() + QUIET)
        picks(algorithm, 2)
        assert len(lines) == 2
    assert counted(fleet, field) == 6
    Last.fault = None
    assert picks(algorithm, 1) == ["s1"]


def test_a_slow_choice_does_not_count() -> None:
    fleet = Fleet([1, 1])
    algorithm = own(fleet)
    Last.fault = staticmethod(lambda: late() or fleet.servers[1])
    assert picks(algorithm, 2) == ["s0", "s1"]
    assert counted(fleet, fields.BACKEND_FALLBACKS_SLOW) == 2


def test_a_server_that_may_not_be_used_is_a_wrong_answer() -> None:
    fleet = Fleet([1, 1, 1])
    algorithm = own(fleet)
    Last.fault = staticmethod(lambda: fleet.servers[2])
    algorithm.rebuild(fleet.servers[:2])
    assert set(picks(algorithm, 4)) == {"s0", "s1"}
    assert counted(fleet, fields.BACKEND_FALLBACKS_WRONG) == 4


def test_a_rebuild_that_fails_is_made_good_by_the_next() -> None:
    fleet = Fleet([1, 1])
    algorithm = own(fleet)
    Last.fault = "rebuild"
    algorithm.rebuild(fleet.servers)
    assert picks(algorithm, 2) == ["s0", "s1"]
    assert counted(fleet, fields.BACKEND_FALLBACKS_ERROR) == 2
    Last.fault = None
    algorithm.rebuild(fleet.servers)
    assert picks(algorithm, 2) == ["s1", "s1"]


def test_is_told_of_requests_only_if_it_wants_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = own(Fleet([1]))
    assert algorithm.took is None
    told: list[str] = []
    monkeypatch.setattr(Last, "took", lambda self, server: told.append(server.name), raising=False)
    monkeypatch.setattr(Last, "dropped", lambda self, server: 1 / 0, raising=False)
    fleet = Fleet([1])
    algorithm = own(fleet)
    algorithm.took(fleet.servers[0])
    algorithm.dropped(fleet.servers[0])      # what it raises stays here
    assert told == ["s0"]


def test_a_reload_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet([1])
    old, new = own(fleet), own(fleet)
    handed: list[object] = []
    monkeypatch.setattr(Last, "inherit", lambda self, previous: handed.append(previous))
    new.inherit(old)
    assert handed == [old.inner]


@pytest.mark.parametrize(("name", "reason"), [
    ("missing_package.module:Class", "ModuleNotFoundError"), ("operators:Missing", "AttributeError"),
    ("operators:number", "is no algorithm"), ("operators:Nothing", "rebuild and pick"), (":x", "ValueError"),
])
def test_says_why_a_class_cannot_be_had(name: str, reason: str) -> None:
    with pytest.raises(LbdError, match=reason):
        build(schema.AlgorithmConfig(name), Fleet([1]).context())


def test_a_class_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Last, "__init__", lambda self, options, context: 1 / 0)
    with pytest.raises(LbdError, match="cannot be made: ZeroDivisionError"):
        build(schema.AlgorithmConfig("operators:Last"), Fleet([1]).context())


def test_the_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CONF))
    fleet = Fleet([1, 1, 2])
    algorithm = build(schema.AlgorithmConfig("own_algorithm:Warmest"), fleet.context())
    algorithm.rebuild(fleet.servers)
    for turn in range(32):
        fleet.load(algorithm.pick(Request()).slot, 1, lane=turn % 4)
    assert sorted(fleet.loads()) == [8, 8, 16]
    assert algorithm.pick(Request()) in fleet.servers
    assert sum(counted(fleet, fields.BACKEND_FALLBACKS_ERROR + at) for at in range(3)) == 0
