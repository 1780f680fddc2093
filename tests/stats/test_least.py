"""Tests of lbd.stats.least: who is least loaded, in turn, and by weight."""

import math
from collections import Counter
from typing import Any

import pytest

from lbd.stats import fields
from lbd.stats.least import Least
from lbd.stats.scoreboard import SERVER, Board


def picks(least: Least, count: int) -> list[int]:
    return [least.pick() for _ in range(count)]


def test_least_takes_the_least_loaded_over_all_lanes(board: Board) -> None:
    for lane, loads in enumerate(((3, 1, 2), (0, 3, 0))):
        for slot, load in enumerate(loads):
            board.row(lane, SERVER, slot).set(fields.SERVER_IN_FLIGHT, load)
    assert picks(Least(board, [0, 1, 2], [1, 1, 1]), 2) == [2, 2]
    assert picks(Least(board, [2, 1, 0], [1, 3, 1]), 1) == [1]          # (4 + 1) / 3 is below (2 + 1) / 1


def test_least_takes_equals_in_turn(board: Board) -> None:
    board.row(0, SERVER, 0)
    assert picks(Least(board, [4, 9, 2], [1, 1, 1]), 7) == [0, 1, 2, 0, 1, 2, 0]
    board.row(0, SERVER, 9).set(0, 1)
    assert picks(Least(board, [4, 9, 2], [1, 1, 1]), 4) == [0, 2, 0, 2]
    assert picks(Least(board, [4, 9], [49, 98]), 4) == [0, 1, 0, 1]     # 1 / 49 is 2 / 98, whatever rounding says


def test_least_skips_weights_of_zero(board: Board) -> None:
    assert picks(Least(board, [1, 2], [0, 1]), 3) == [1, 1, 1]
    assert Least(board, [1, 2], [0, 0]).pick() == -1
    assert Least(board, [], []).pick() == -1
    for weights in ([-1.0], [math.nan], [math.inf]):
        with pytest.raises(ValueError, match="a weight is"):
            Least(board, [1], weights)
    with pytest.raises(ValueError, match="as many weights"):
        Least(board, [1], [])
    with pytest.raises(IndexError):
        Least(board, [10**6], [1])


def test_least_shares_by_weight(board: Board, lane: Any) -> None:
    slots, weights = [10, 20, 30], [5.0, 1.0, 2.0]
    least = Least(board, slots, weights)
    taken: Counter[int] = Counter()
    for _ in range(800):
        place = least.pick()
        taken[place] += 1
        lane.server(slots[place]).add(fields.SERVER_IN_FLIGHT, 1)
    assert [taken[place] for place in range(3)] == [500, 100, 200]
