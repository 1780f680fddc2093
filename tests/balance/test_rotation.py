"""Tests of lbd.balance.rotation: one position for all who map it, an order that is bounded, shares that are kept."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lbd.balance.rotation import Rotation
from lbd.stats.scoreboard import BACKEND, PROCESS, Board

ROOT = Path(__file__).parents[2]


def test_the_position_is_the_backends_and_shared() -> None:
    board = Board.create(2)
    mine, other = board.row(0, BACKEND, 3), Board.attach(board.fd).row(1, BACKEND, 3)
    one, two = Rotation(mine, [5, 1, 1]), Rotation(other, [500, 100, 100])
    assert [(one, two)[turn % 2].take() for turn in range(7)] == [0, 0, 1, 0, 2, 0, 0]
    assert (one.taken, two.taken) == (7, 7)
    assert Rotation(board.row(0, BACKEND, 4), [1]).taken == 0


def test_a_new_owner_of_the_slot_begins_anew() -> None:
    board = Board.create(1)
    rotation = Rotation(board.row(0, BACKEND, 0), [1, 1])
    rotation.take()
    board.clear(BACKEND, 0)
    assert rotation.taken == 0


@pytest.mark.parametrize("backend", [None, Board.create(1).row(0, PROCESS, 0)])
def test_without_a_backend_the_position_is_its_own(backend: object) -> None:
    assert [Rotation(backend, [1, 1, 1], 4).take() for _ in range(2)] == [1, 1]      # type: ignore[arg-type]


def test_a_peek_takes_nothing() -> None:
    rotation = Rotation(None, [2, 1])
    assert [rotation.peek(), rotation.peek(), rotation.take(), rotation.peek()] == [0, 0, 0, 1]


def test_an_order_too_long_to_write_out_keeps_the_shares_at_every_moment() -> None:
    weights = [997, 13, 1009, 7919, 9973, 1]
    rotation, total = Rotation(None, weights), sum(weights)
    seen: Counter[int] = Counter()
    for turn in range(1, 3 * total):
        seen[rotation.take()] += 1
        if turn % 1009 == 0:
            assert all(abs(seen[place] - turn * weight / total) < 8 for place, weight in enumerate(weights))
    assert seen[5] >= 2


def test_thousands_of_servers_of_different_weights() -> None:
    weights = [1 + place % 3 for place in range(5000)]
    rotation = Rotation(None, weights)
    seen = Counter(rotation.take() for _ in range(2 * sum(weights)))
    assert all(weight <= seen[place] <= 3 * weight for place, weight in enumerate(weights))


@pytest.mark.parametrize("weights", [[], [0], [1, -1], [2**62]])
def test_refuses_what_is_no_weight(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Rotation(None, weights)


TAKE = """
import sys
from lbd.balance.rotation import Rotation
from lbd.stats.scoreboard import BACKEND, Board
fd, lane, count = map(int, sys.argv[1:])
rotation = Rotation(Board.attach(fd).row(lane, BACKEND, 0), [1, 1, 1])
print(*(rotation.take() for _ in range(count)))
"""


def test_no_turn_is_lost_or_taken_twice_by_processes_at_once() -> None:
    board = Board.create(4)
    processes = [subprocess.Popen([sys.executable, "-c", TAKE, str(board.fd), str(lane), "30000"], cwd=ROOT,
                                  pass_fds=[board.fd], stdout=subprocess.PIPE, text=True) for lane in range(4)]
    counts = [Counter(map(int, process.communicate()[0].split())) for process in processes]
    assert sum(counts, Counter()) == {0: 40_000, 1: 40_000, 2: 40_000}
