"""The table of sticky sources: one answer for all workers, a lifetime, and a size that never grows."""

from collections.abc import Iterator

import pytest

from lbd.stats import scoreboard
from lbd.stats.layout import BUCKETS, WAYS
from lbd.stats.scoreboard import Board, freeze
from lbd.stats.sources import SourceTable

LIFETIME = 10.0


@pytest.fixture
def lanes() -> Iterator[list[SourceTable]]:
    """Three workers of one board, at second 100."""
    board = Board.create(4)
    for lane in range(3):
        board.row(lane, scoreboard.PROCESS, 0)
    freeze(100.0)
    yield [SourceTable(board, lane) for lane in range(3)]
    freeze(None)


def test_every_worker_finds_what_one_put(lanes: list[SourceTable]) -> None:
    lanes[0].put(5, 7, LIFETIME)
    assert [lane.find(5, LIFETIME) for lane in lanes] == [7, 7, 7]
    assert lanes[1].find(6, LIFETIME) == 0


def test_a_source_is_forgotten_after_its_lifetime_unless_it_is_seen_again_anywhere(lanes: list[SourceTable]) -> None:
    lanes[0].put(5, 7, LIFETIME)
    freeze(108.0)
    lanes[1].put(5, 7, LIFETIME)
    freeze(117.0)
    assert lanes[2].find(5, LIFETIME) == 7
    freeze(119.0)
    assert lanes[2].find(5, LIFETIME) == 0


def test_of_two_workers_at_once_the_earlier_one_counts(lanes: list[SourceTable]) -> None:
    lanes[0].put(5, 7, 0.0)
    freeze(101.0)
    lanes[1].put(5, 8, 0.0)       # no lifetime: it sees nothing of the other, as when both look before either writes
    assert [lane.find(5, LIFETIME) for lane in lanes] == [7, 7, 7]


def test_another_server_replaces_the_first_for_everybody(lanes: list[SourceTable]) -> None:
    lanes[0].put(5, 7, LIFETIME)
    freeze(101.0)
    lanes[1].put(5, 8, LIFETIME)
    assert [lane.find(5, LIFETIME) for lane in lanes] == [8, 8, 8]
    freeze(102.0)
    lanes[0].put(5, 7, LIFETIME)
    assert [lane.find(5, LIFETIME) for lane in lanes] == [7, 7, 7]


def test_the_one_not_seen_for_longest_gives_way_in_a_full_bucket(lanes: list[SourceTable]) -> None:
    same_bucket = [1 + turn * BUCKETS for turn in range(WAYS + 1)]
    for turn, source in enumerate(same_bucket[:WAYS]):
        freeze(100.0 + turn)
        lanes[0].put(source, 7, 1000.0)
    freeze(120.0)
    lanes[0].put(same_bucket[0], 7, 1000.0)      # seen again: now the second is the oldest
    lanes[0].put(same_bucket[WAYS], 7, 1000.0)
    found = [lanes[1].find(source, 1000.0) for source in same_bucket]
    assert found == [7, 0, *[7] * (WAYS - 1)]


def test_any_number_of_sources_fits(lanes: list[SourceTable]) -> None:
    for source in range(1, 4 * BUCKETS * WAYS, 7):
        lanes[0].put(source, 7, LIFETIME)
    assert lanes[1].find(source, LIFETIME) == 7


def test_what_is_no_lane_and_no_server_is_refused(lanes: list[SourceTable]) -> None:
    with pytest.raises(ValueError, match="lane"):
        SourceTable(Board.create(1), 1)
    with pytest.raises(ValueError, match="server"):
        lanes[0].put(5, 0, LIFETIME)
