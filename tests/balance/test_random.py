"""Random: shares by weight."""

import pytest

from lbd.balance.random import Random
from tests.balance.fleet import Fleet, picks, shares, spread


@pytest.mark.parametrize("weights", [[1, 1, 1], [5, 1, 1], [1000, 1]])
def test_shares_are_by_weight_within_five_deviations(weights: list[int]) -> None:
    found = shares(Fleet(weights).make(Random), 20_000)
    for slot, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(found.get(f"s{slot}", 0.0) - share) <= spread(share, 20_000)


def test_a_seed_decides() -> None:
    fleet = Fleet([1, 2, 3])
    assert picks(fleet.make(Random, seed=3), 30) == picks(fleet.make(Random, seed=3), 30)
    assert picks(fleet.make(Random, seed=3), 30) != picks(fleet.make(Random, seed=4), 30)


def test_load_does_not_count() -> None:
    fleet = Fleet([1, 1])
    fleet.load(0, 1000)
    assert abs(shares(fleet.make(Random), 10_000)["s0"] - 0.5) <= spread(0.5, 10_000)


def test_a_weight_that_grows_counts() -> None:
    fleet = Fleet([1, 1])
    fleet.servers[0].grow(0.25)
    assert abs(shares(fleet.make(Random), 10_000)["s0"] - 0.2) <= spread(0.2, 10_000)
