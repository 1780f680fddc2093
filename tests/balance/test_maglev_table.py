"""Maglev's table: shares by weight, what moves when servers come, go or are left out."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh64_intdigest

from lbd.balance.maglev_table import SIZE, MaglevTable


def hashes(numbers: Sequence[int]) -> list[int]:
    return [xxh64_intdigest(b"s%d" % number) for number in numbers]


def owners(table: MaglevTable) -> list[int]:
    return [table.find(entry) for entry in range(SIZE)]


def moved(before: MaglevTable, after: MaglevTable) -> float:
    return sum(a != b for a, b in zip(owners(before), owners(after), strict=True)) / SIZE


@pytest.mark.parametrize(("size", "off"), [(1, 0.001), (2, 0.001), (3, 0.001), (10, 0.01), (100, 0.03), (500, 0.2),
                                           (5000, 0.5)])
def test_shares_are_equal_and_one_that_goes_moves_less_than_twice_its_share(size: int, off: float) -> None:
    numbers = range(size)
    table = MaglevTable(hashes(numbers), [1] * size)
    found = table.shares()
    assert len(found) == size
    assert all(abs(count * size / SIZE - 1) <= off for count in found.values())
    if size > 1:
        shares = []
        for gone in (0, size // 2, size - 1):
            left = [number for number in numbers if number != gone]
            smaller = MaglevTable(hashes(left), [1] * len(left))
            smaller.narrow(left)
            shares.append(moved(table, smaller) * size)
        assert sum(shares) / len(shares) < 2


@settings(max_examples=20)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30))
def test_shares_are_by_weight_and_nobody_has_none(weights: list[int]) -> None:
    found = MaglevTable(hashes(range(len(weights))), weights).shares()
    for place, weight in enumerate(weights):
        wanted = SIZE * weight / sum(weights)
        assert found[place] >= 1
        assert abs(found[place] - wanted) <= 2 + 0.05 * wanted


def test_who_is_left_out_moves_nothing_else_and_comes_back() -> None:
    table = MaglevTable(hashes(range(10)), [1] * 10)
    before = owners(table)
    table.narrow([-1, *range(1, 10)])
    after = owners(table)
    assert all(now == old for now, old in zip(after, before, strict=True) if old != 0)
    got = [sum(old == 0 and now == place for now, old in zip(after, before, strict=True)) for place in range(10)]
    assert got[0] == 0
    assert all(abs(count - SIZE / 90) <= 5 * (SIZE / 90) ** 0.5 for count in got[1:])
    table.narrow(range(10))
    assert owners(table) == before


def test_what_the_last_ones_left_get_is_by_weight() -> None:
    table = MaglevTable(hashes(range(100)), [1] * 98 + [1, 3])
    table.narrow([-1] * 98 + [0, 1])
    found = table.shares()
    assert found[0] * 3 == pytest.approx(found[1], rel=0.01)
    table.narrow([-1] * 99 + [0])
    assert table.shares() == {0: SIZE}


def test_refuses_what_cannot_be() -> None:
    for names, weights in (([], []), ([1], [1, 1]), ([1], [0]), ([1], [1000001])):
        with pytest.raises(ValueError, match="weight"):
            MaglevTable(names, weights)
    table = MaglevTable([1, 2], [1, 1])
    for indices in ([], [0], [-1, -1], [0, 65535]):
        with pytest.raises(ValueError, match="as many indices"):
            table.narrow(indices)
