"""Threshold: whoever is below the limit is taken; drawn or in the order of the file."""

from collections import Counter

import pytest

from lbd.balance.threshold import AUTO, LIMIT, Threshold
from tests.balance.fleet import Fleet, Request, picks, shares, spread


def test_drawn_servers_below_the_limit_are_taken_by_weight() -> None:
    fleet = Fleet([3, 1])
    fleet.load(0, 2)
    found = shares(fleet.make(Threshold, limit=1.0), 20_000)
    assert abs(found["s0"] - 0.75) <= spread(0.75, 20_000)


def test_probes_stop_at_the_first_below_the_limit_and_take_the_least_otherwise() -> None:
    fleet = Fleet([1, 1, 1])
    fleet.load(0, 9)
    fleet.load(1, 5)
    fleet.load(2, 7)
    assert set(picks(fleet.make(Threshold, limit=6.0, probes=3), 100)) == {"s1"}
    assert set(picks(fleet.make(Threshold, limit=1.0, probes=3), 100)) == {"s1"}
    assert Counter(picks(fleet.make(Threshold, limit=1.0, probes=1), 300)).keys() == {"s0", "s1", "s2"}


def test_listed_packs_the_first_servers() -> None:
    fleet = Fleet([1, 2, 1])
    algorithm = fleet.make(Threshold, limit=3.0, order="listed")
    chosen = []
    for turn in range(12):
        server = algorithm.pick(Request())
        fleet.load(server.slot, 1, lane=turn % 4)
        chosen.append(server.name)
    assert chosen == ["s0"] * 3 + ["s1"] * 6 + ["s2"] * 3
    assert algorithm.pick(Request()).name == "s0"


@pytest.mark.parametrize("order", ["drawn", "listed"])
def test_the_limit_found_by_itself_keeps_everyone_near_the_mean(order: str) -> None:
    fleet = Fleet([1, 2, 1, 4])
    workers = [fleet.make(Threshold, worker=worker, seed=worker, order=order, probes=4) for worker in range(4)]
    for turn in range(800):
        server = workers[turn % 4].pick(Request())
        fleet.load(server.slot, 1, lane=turn % 4)
    for server, count in zip(fleet.servers, fleet.loads(), strict=True):
        assert count <= 1.25 * 801 / 8 * server.weight + 1


def test_limits_as_they_are_written() -> None:
    assert LIMIT.parse("auto") == AUTO
    assert LIMIT.parse(5) == 5.0
    for wrong in ("five", 0, -1, True, [], 2_000_000):
        with pytest.raises(ValueError, match=r"^is "):
            LIMIT.parse(wrong)
