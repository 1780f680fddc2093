"""Smooth weighted round robin: nginx's order, shares by weight, smooth also when the set changes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbd.backend.generation import Member
from lbd.backend.server import Server
from lbd.balance.weighted_round_robin import WeightedRoundRobin
from lbd.config.units import Address

REQUEST: Any = None


class Context:
    def __init__(self, worker: int = 0) -> None:
        self.worker = worker


def servers(weights: Mapping[str, int]) -> list[Server]:
    row: Any = None
    return [Server(Member("app", name, Address("127.0.0.1", 9001), 0, weight), row)
            for name, weight in weights.items()]


def make(worker: int = 0, **weights: int) -> WeightedRoundRobin:
    context: Any = Context(worker)
    one = WeightedRoundRobin(None, context)
    if weights:
        one.rebuild(servers(weights))
    return one


def picks(algorithm: WeightedRoundRobin, count: int) -> str:
    return "".join(algorithm.pick(REQUEST).name for _ in range(count))


def test_the_order_is_that_of_nginx() -> None:
    assert picks(make(a=5, b=1, c=1), 14) == "aabacaaaabacaa"


def test_equal_weights_take_turns() -> None:
    assert picks(make(a=3, b=3, c=3), 6) == "abcabc"


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_shares_are_exact_over_one_period_and_never_off_by_more_than_one_round(weights: list[int]) -> None:
    named = dict(zip("abcdefgh", weights, strict=False))
    one = make(**named)
    total = sum(weights)
    seen: Counter[str] = Counter()
    for turn in range(1, total + 1):
        seen[one.pick(REQUEST).name] += 1
        if turn % 97 == 0:
            assert all(abs(seen[name] - turn * weight / total) < len(weights) for name, weight in named.items())
    assert seen == Counter(named)


def test_stays_smooth_when_the_set_changes_at_every_pick() -> None:
    all_of = servers({"a": 2, "b": 1, "c": 1})
    one = make()
    seen: Counter[str] = Counter()
    for turn in range(400):
        one.rebuild(all_of if turn % 2 else all_of[:])
        seen[one.pick(REQUEST).name] += 1
    assert seen == {"a": 200, "b": 100, "c": 100}


def test_a_new_server_neither_floods_nor_starves() -> None:
    all_of = servers({"a": 1, "b": 1, "c": 1, "d": 1})
    one = make()
    one.rebuild(all_of[:3])
    picks(one, 50)
    one.rebuild(all_of)
    assert sorted(picks(one, 8)) == list("aabbccdd")


def test_a_reload_keeps_the_values() -> None:
    old = make(a=5, b=1, c=1)
    assert picks(old, 3) == "aab"
    new = make()
    new.rebuild(old.servers)
    new.inherit(old)
    assert picks(new, 4) == "acaa"


@pytest.mark.parametrize("worker", [1, 2, 5])
def test_workers_start_at_different_places_with_the_same_shares(worker: int) -> None:
    one = make(worker, a=2, b=1)
    assert Counter(picks(one, 30)) == {"a": 20, "b": 10}
