"""Tests of lbd.balance.weighted_round_robin: nginx's order over all workers, shares by weight whatever happens."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.balance.weighted_round_robin import WeightedRoundRobin
from tests.balance.fleet import Fleet, Request, picks

NGINX = ["s0", "s0", "s1", "s0", "s2", "s0", "s0"]


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_the_order_is_that_of_nginx_over_any_number_of_workers(workers: int) -> None:
    fleet = Fleet([5, 1, 1])
    each = [fleet.make(WeightedRoundRobin, worker) for worker in range(workers)]
    assert [each[turn % workers].pick(Request()).name for turn in range(14)] == NGINX * 2


def test_equal_weights_take_turns() -> None:
    assert picks(Fleet([3, 3, 3]).make(WeightedRoundRobin), 6) == ["s0", "s1", "s2"] * 2


def test_a_reload_keeps_the_position() -> None:
    fleet = Fleet([5, 1, 1])
    old = fleet.make(WeightedRoundRobin)
    assert picks(old, 3) == NGINX[:3]
    new = fleet.make(WeightedRoundRobin)
    new.inherit(old)
    assert picks(new, 4) == NGINX[3:]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_shares_are_exact_over_one_period_and_never_off_by_more_than_one_round(weights: list[int]) -> None:
    one = Fleet(weights).make(WeightedRoundRobin)
    total = sum(weights)
    seen: Counter[int] = Counter()
    for turn in range(1, total + 1):
        seen[one.pick(Request()).slot] += 1
        if turn % 97 == 0:
            assert all(abs(seen[slot] - turn * weight / total) < len(weights) for slot, weight in enumerate(weights))
    assert seen == Counter(dict(enumerate(weights)))


def test_stays_even_when_the_set_is_told_anew_at_every_pick() -> None:
    fleet = Fleet([2, 1, 1])
    one = fleet.make(WeightedRoundRobin)
    seen: Counter[str] = Counter()
    for _ in range(400):
        one.rebuild(fleet.servers[:])
        seen[one.pick(Request()).name] += 1
    assert seen == {"s0": 200, "s1": 100, "s2": 100}


def test_others_share_by_weight_while_one_ramps_up() -> None:
    fleet = Fleet([4, 2, 6])
    one = fleet.make(WeightedRoundRobin)
    seen: Counter[str] = Counter()
    for step in range(100):
        fleet.servers[2].effective = 6 * (step + 1) / 101
        one.rebuild(fleet.servers)
        seen.update(picks(one, 60))
    assert 1.9 < seen["s0"] / seen["s1"] < 2.1
    assert seen["s2"] < seen["s0"]


def test_a_new_server_neither_floods_nor_starves() -> None:
    fleet = Fleet([1, 1, 1, 1])
    one = fleet.make(WeightedRoundRobin)
    one.rebuild(fleet.servers[:3])
    picks(one, 50)
    one.rebuild(fleet.servers)
    assert sorted(picks(one, 8)) == ["s0", "s0", "s1", "s1", "s2", "s2", "s3", "s3"]
