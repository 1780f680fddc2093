"""Properties of every algorithm: usable servers only, nobody starves, any size, equal seeds choose equally."""

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.backend.algorithm import Algorithm
from lbd.backend.server import Server
from lbd.balance import ALGORITHMS, build
from lbd.errors import LbdError
from lbd.schema import AlgorithmConfig as Wanted
from lbd.stats import endings, scoreboard
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, Record
from tests.balance.fleet import Fleet, Request, urls

NAMES = [*ALGORITHMS]
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in NAMES),
    ("consistent-hash", {"balance_factor": 1.25}), ("threshold", {"order": "listed"}), ("threshold", {"limit": 4.0}),
    ("least-time", {"measure": "last-byte", "decay": 1.0}),
]
each = pytest.mark.parametrize(("name", "options"), VARIANTS, ids=lambda value: str(value).strip("{}"))


def play(fleet: Fleet, algorithm: Algorithm, requests: Sequence[Request], at_once: int = 8) -> list[Server]:
    """Send the requests, so many at a time, first come, first served; the servers chosen."""
    running: deque[Record] = deque()
    chosen = []
    for number, request in enumerate(requests):
        scoreboard.freeze(1000 + number * 0.01)
        if len(running) == at_once:
            done = running.popleft()
            done.head(200)
            done.finish(endings.OK, 0, 0)
        server = algorithm.pick(request)
        record = Record(fleet.board.row(0, PROCESS, 0))
        record.begin(fleet.board.row(0, ROUTE, 0), fleet.board.row(0, BACKEND, 0))
        record.took(fleet.row(server.slot))
        running.append(record)
        chosen.append(server)
    for record in running:
        record.finish(endings.OK, 0, 0)
    scoreboard.freeze(None)
    return chosen


@each
def test_only_servers_of_the_last_rebuild_are_chosen(name: str, options: dict[str, Any]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.integers(1, 1000), min_size=2, max_size=8), st.data())
    def property_(weights: list[int], data: st.DataObject) -> None:
        fleet = Fleet(weights)
        algorithm = fleet.make(ALGORITHMS[name], **options)
        for _ in range(4):
            places = data.draw(st.sets(st.integers(0, len(weights) - 1), min_size=1))
            usable = [fleet.servers[place] for place in sorted(places)]
            algorithm.rebuild(usable)
            assert {*play(fleet, algorithm, urls(30))} <= {*usable}
    property_()


@each
@pytest.mark.parametrize("size", [1, 2, 500, 5000])
def test_any_number_of_servers_will_do(name: str, options: dict[str, Any], size: int) -> None:
    random = Random(size)
    fleet = Fleet([random.randint(1, 1000) for _ in range(size)])
    algorithm = fleet.make(ALGORITHMS[name], **options)
    assert {*play(fleet, algorithm, urls(200))} <= {*fleet.servers}
    algorithm.rebuild(fleet.servers[:1])
    assert {*play(fleet, algorithm, urls(20))} == {fleet.servers[0]}


@each
def test_nobody_starves(name: str, options: dict[str, Any]) -> None:
    if name == "first" or options.get("order") == "listed":
        pytest.skip("it is its purpose to leave servers idle")
    fleet = Fleet([1, 2, 3, 4, 5])
    assert {*play(fleet, fleet.make(ALGORITHMS[name], **options), urls(1000), at_once=20)} == {*fleet.servers}


@each
def test_equal_seeds_choose_equally(name: str, options: dict[str, Any]) -> None:
    runs = []
    for _ in range(2):
        fleet = Fleet([3, 1, 2, 1])
        chosen = play(fleet, fleet.make(ALGORITHMS[name], seed=5, **options), urls(200))
        runs.append([server.name for server in chosen])
    assert runs[0] == runs[1]


@each
def test_a_reload_takes_over(name: str, options: dict[str, Any]) -> None:
    fleet = Fleet([3, 1, 2, 1])
    old, new = fleet.make(ALGORITHMS[name], **options), fleet.make(ALGORITHMS[name], **options)
    play(fleet, old, urls(10))
    new.inherit(old)
    new.enroll(fleet.servers)
    new.rebuild(fleet.servers[1:])
    assert {*play(fleet, new, urls(50))} <= {*fleet.servers[1:]}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(LbdError, match="does not know 'best'"):
        build(Wanted("best"), Fleet([1]).context())
