"""Tests of lbd.stats.slots: whose row is whose."""

import pytest

from lbd.errors import LbdError
from lbd.stats import fields
from lbd.stats.scoreboard import BACKEND, LISTENER, SERVER, Board
from lbd.stats.slots import Slots


@pytest.fixture
def board() -> Board:
    return Board.create(3)


def test_an_identity_keeps_its_slot(board: Board) -> None:
    slots = Slots(board)
    first = slots.allocate(SERVER, ("app", "a", "10.0.0.1:80"))
    other = slots.allocate(SERVER, ("app", "a", "10.0.0.2:80"))
    assert first != other
    assert slots.allocate(SERVER, ("app", "a", "10.0.0.1:80")) == first
    assert slots.owners(SERVER) == {("app", "a", "10.0.0.1:80"): first, ("app", "a", "10.0.0.2:80"): other}


def test_kinds_do_not_share_slots(board: Board) -> None:
    slots = Slots(board)
    assert slots.allocate(BACKEND, "app") == slots.allocate(LISTENER, "app") == 0


def test_a_released_slot_goes_to_the_next_owner_and_is_zeroed_for_it(board: Board) -> None:
    slots = Slots(board)
    old = slots.allocate(LISTENER, "old")
    row = board.row(1, LISTENER, old)
    row.add(fields.LISTENER_ACCEPTED, 7)
    slots.allocate(LISTENER, "other")
    slots.release(LISTENER, "old")
    assert board.total(LISTENER, old, fields.LISTENER_ACCEPTED) == 7       # until it has a new owner
    assert slots.allocate(LISTENER, "new") == old
    assert board.total(LISTENER, old, fields.LISTENER_ACCEPTED) == 0


def test_the_lowest_free_slot_is_given(board: Board) -> None:
    slots = Slots(board)
    for name in range(5):
        slots.allocate(BACKEND, name)
    for name in (3, 1):
        slots.release(BACKEND, name)
    assert [slots.allocate(BACKEND, name) for name in ("x", "y", "z")] == [1, 3, 5]


def test_rows_of_an_earlier_process_stay_with_their_owners(board: Board) -> None:
    row = board.row(0, SERVER, 3)
    row.set(0, 7.0)
    slots = Slots(board)
    slots.restore([(SERVER, "a", 3), (SERVER, "b", 1), (99, "x", 0), (SERVER, "y", -1)])
    assert [slots.allocate(SERVER, name) for name in ("a", "b", "c", "d", "e")] == [3, 1, 0, 2, 4]
    assert row.get(0) == 7.0


def test_releasing_who_has_none_does_nothing(board: Board) -> None:
    slots = Slots(board)
    slots.release(SERVER, "nobody")
    slots.allocate(SERVER, "a")
    slots.release(SERVER, "a")
    slots.release(SERVER, "a")
    assert [slots.allocate(SERVER, name) for name in ("b", "c")] == [0, 1]


def test_a_full_board_says_so_and_has_room_again_after_a_release(board: Board) -> None:
    slots = Slots(board)
    capacity = fields.KINDS[LISTENER].capacity
    for name in range(capacity):
        slots.allocate(LISTENER, name)
    with pytest.raises(LbdError, match=f"room for {capacity} listeners and all are in use"):
        slots.allocate(LISTENER, "one more")
    assert "one more" not in slots.owners(LISTENER)
    slots.release(LISTENER, 17)
    assert slots.allocate(LISTENER, "one more") == 17


def test_a_failed_block_allocates_none_and_keeps_those_before(board: Board) -> None:
    def allocate_all(*identities: str) -> None:
        with slots.all_or_none():
            for identity in identities:
                slots.allocate(LISTENER, identity)

    slots, capacity = Slots(board), fields.KINDS[LISTENER].capacity
    allocate_all("old")
    with pytest.raises(LbdError, match="room for"):
        allocate_all("old", *map(str, range(capacity)))
    assert slots.owners(LISTENER) == {"old": 0}
    allocate_all("old", "new")
    assert slots.owners(LISTENER) == {"old": 0, "new": 1}
