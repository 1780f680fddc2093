"""The lanes of the scoreboard: taken, given back, and what was counted in them."""

from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.workers.lanes import Lanes


def test_lanes_are_used_again_lowest_first():
    lanes = Lanes(Board.create(3))
    assert [lanes.allocate() for _ in range(4)] == [0, 1, 2, None]
    lanes.release(2)
    lanes.release(0)
    assert lanes.allocate() == 0


def test_a_lane_of_another_process_is_not_taken():
    lanes = Lanes(Board.create(3))
    lanes.occupy(0)
    lanes.occupy(0)
    assert lanes.allocate() == 1


def test_a_released_lane_keeps_its_counters_and_has_nothing_in_flight():
    board = Board.create(2)
    lanes = Lanes(board)
    board.row(0, scoreboard.SERVER, 5).add(fields.SERVER_IN_FLIGHT, 2)
    board.row(0, scoreboard.LISTENER, 7).add(fields.LISTENER_ACCEPTED, 3)
    board.row(0, scoreboard.PROCESS, 0).add(fields.PROCESS_ENDINGS, 4)
    lanes.occupy(0)
    lanes.release(0)
    assert board.in_flight(5) == 0
    assert lanes.connections_accepted(0, [7]) == 3
    assert lanes.connections_accepted(0, []) == 0
    assert lanes.requests_served(0) == 4
