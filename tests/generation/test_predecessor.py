"""The predecessor: everything that a handover has comes back, and nothing without one."""

import os

from lbd.generation.handover import Handover
from lbd.generation.predecessor import Predecessor
from lbd.generation.worker_count import OLD_LANE
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots
from lbd.workers.lanes import Lanes

OWNER = ("app", "a", "10.0.0.1:80")


def test_the_first_version_begins_anew():
    board = Board.create(2)
    predecessor = Predecessor(None, board, Slots(board), Lanes(board))
    assert (predecessor.next_generation, predecessor.restarts, predecessor.upgrades, predecessor.runtime) == (
        1, 0, 0, "")
    assert predecessor.rows() == set()
    assert predecessor.server_socket("admin") is None
    predecessor.on_worker_exit(os.getpid())


def test_numbers_rows_and_lanes_go_on():
    board = Board.create(3)
    slots, lanes = Slots(board), Lanes(board)
    handover = Handover("1.0", generation=7, restarts=2, upgrades=3, board=board, workers={4711: 1},
                        slots=((scoreboard.SERVER, OWNER, 5),))
    predecessor = Predecessor(handover, board, slots, lanes)
    assert (predecessor.next_generation, predecessor.restarts, predecessor.upgrades) == (8, 2, 3)
    assert slots.allocate(scoreboard.SERVER, OWNER) == 5
    assert predecessor.rows() == {(scoreboard.SERVER, OWNER)}
    assert [lanes.allocate(), lanes.allocate(), lanes.allocate()] == [0, 2, None]
    predecessor.on_worker_exit(4711)
    assert predecessor.workers == {}
    assert lanes.allocate() == 1


class OldScoreboard:
    """Notes the lanes whose counters are added."""

    def __init__(self):
        self.added = []

    def begin(self, board, slots, lane):
        self.added.append(("all", lane))

    def add(self, lanes, board, slots, lane):
        self.added.append((*lanes, lane))

    def identities(self):
        return {(scoreboard.SERVER, OWNER)}


def test_counters_of_another_layout_go_to_a_lane_of_their_own():
    board = Board.create(3)
    lanes, old = Lanes(board), OldScoreboard()
    predecessor = Predecessor(Handover("1.0", 7, 0, 0, past=old, workers={4711: 1}), board, Slots(board), lanes)
    assert lanes.allocate() == OLD_LANE + 1
    predecessor.add_counters()
    predecessor.on_worker_exit(4711)
    assert old.added == [("all", OLD_LANE), (1, OLD_LANE)]
    assert predecessor.rows() == {(scoreboard.SERVER, OWNER)}
