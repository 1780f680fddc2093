"""The ring: points by number, only the keys of one that is left out move, bounded loads."""

from collections import Counter
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh64_intdigest

from lbd.balance.loads import Loads
from lbd.balance.ring import POINTS, Ring
from tests.balance.fleet import Fleet

KEYS = [xxh64_intdigest(b"key%d" % number) for number in range(20_000)]


def hashes(size: int) -> list[int]:
    return [xxh64_intdigest(b"s%d" % number) for number in range(size)]


def test_shares_are_about_equal() -> None:
    ring = Ring(hashes(10), [160] * 10)
    seen = Counter(map(ring.find, KEYS))
    assert all(abs(count * 10 / len(KEYS) - 1) < 0.3 for count in seen.values())     # of 160 points: 8 % is usual


def test_only_the_keys_of_one_that_is_left_out_move_and_they_spread() -> None:
    ring = Ring(hashes(10), [160] * 10)
    before = list(map(ring.find, KEYS))
    ring.narrow([-1, *range(1, 10)])
    after = list(map(ring.find, KEYS))
    assert all(new == old for new, old in zip(after, before, strict=True) if old)
    got = Counter(new for new, old in zip(after, before, strict=True) if not old)
    assert set(got) == set(range(1, 10))
    ring.narrow(range(10))
    assert list(map(ring.find, KEYS)) == before


def test_one_that_is_left_out_is_like_one_that_is_not_there() -> None:
    ring, smaller = Ring(hashes(10), [160] * 10), Ring(hashes(10)[1:], [160] * 9)
    ring.narrow([-1, *range(9)])
    assert list(map(ring.find, KEYS)) == list(map(smaller.find, KEYS))


def test_more_points_take_keys_and_give_none() -> None:
    one, more = Ring(hashes(3), [160] * 3), Ring(hashes(3), [320, 160, 160])
    assert all(more.find(key) in (0, one.find(key)) for key in KEYS)


@given(st.lists(st.integers(0, 30), min_size=6, max_size=6), st.lists(st.integers(1, 5), min_size=6, max_size=6),
       st.sampled_from([1.01, 1.25, 2.0]), st.sampled_from(KEYS[:100]))
def test_nobody_gets_more_than_the_bound(counts: list[int], weights: list[int], factor: float, key: int) -> None:
    fleet = Fleet(weights)
    for slot, count in enumerate(counts):
        fleet.load(slot, count, lane=slot % 4)
    ring = Ring(hashes(6), [160 * weight for weight in weights])
    loads = Loads(fleet.board, range(6), weights)
    chosen = ring.find_bounded(key, loads, factor)
    bounds = [ceil(factor * (sum(counts) + 1) * weight / sum(weights)) for weight in weights]
    assert counts[chosen] < bounds[chosen]
    home = ring.find(key)
    if counts[home] < bounds[home]:
        assert chosen == home


def test_keys_at_the_ends_have_owners() -> None:
    ring = Ring(hashes(3), [1, 1, 1])
    assert ring.find(0) == ring.find(2**64 - 1)       # behind the last point comes the first


def test_refuses_what_cannot_be() -> None:
    for names, points in (([1], []), ([1], [-1]), ([1], [POINTS + 1])):
        with pytest.raises(ValueError, match="points together"):
            Ring(names, points)
    ring = Ring([1, 2], [160, 160])
    with pytest.raises(ValueError, match="as many"):
        ring.narrow([0])
    ring.narrow([-1, -1])
    with pytest.raises(ValueError, match="nothing"):
        ring.find(1)
    ring.narrow([5, 6])
    loads = Loads(Fleet([1]).board, [0], [1])
    with pytest.raises(ValueError, match="not those"):
        ring.find_bounded(1, loads, 1.25)
