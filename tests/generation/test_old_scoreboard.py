"""A scoreboard of another layout: its counters go on in ours, each found by its name."""

import dataclasses
import json

import pytest

from lbd.generation.old_scoreboard import OldScoreboard, described
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

SERVER = ("app", "a", "10.0.0.1:80")
LANE = 0


@dataclasses.dataclass
class Other:
    """The board of the version before, with one server, one route and two lanes in use."""

    board: Board = dataclasses.field(default_factory=lambda: Board.create(4))

    def __post_init__(self):
        self.slots = Slots(self.board)
        self.slots.allocate(scoreboard.SERVER, ("app", "gone", "10.0.0.9:80"))
        self.server = self.slots.allocate(scoreboard.SERVER, SERVER)

    def row(self, lane, kind=scoreboard.SERVER, slot=None):
        return self.board.row(lane, kind, self.server if slot is None else slot)

    def past(self, change=lambda about: None):
        about = json.loads(json.dumps(described(self.board, self.slots)))
        change(about)
        return OldScoreboard(self.board.fd, about)


@pytest.fixture
def other():
    return Other()


def total(board, slots, field):
    return board.total(scoreboard.SERVER, slots.allocate(scoreboard.SERVER, SERVER), field)


def test_counters_are_added_and_never_twice(other):
    other.row(1).add(fields.SERVER_CONNECTIONS_TOTAL, 5)
    other.row(2).add(fields.SERVER_CONNECTIONS_TOTAL, 2)
    other.row(1).add(fields.SERVER_CONNECTIONS, 3)
    other.row(1, scoreboard.PROCESS, 0).add(fields.PROCESS_ENDINGS, 7)
    board = Board.create(4)
    slots = Slots(board)
    past = other.past()
    past.begin(board, slots, LANE)
    assert total(board, slots, fields.SERVER_CONNECTIONS_TOTAL) == 7
    assert total(board, slots, fields.SERVER_CONNECTIONS) == 0   # a gauge is its process's own
    assert board.total(scoreboard.PROCESS, 0, fields.PROCESS_ENDINGS) == 7
    other.row(1).add(fields.SERVER_CONNECTIONS_TOTAL, 10)
    past.add([2], board, slots, LANE)
    assert total(board, slots, fields.SERVER_CONNECTIONS_TOTAL) == 7
    past.add([1], board, slots, LANE)
    past.add([1, 99], board, slots, LANE)
    assert total(board, slots, fields.SERVER_CONNECTIONS_TOTAL) == 17


def test_latencies_go_on(other):
    other.row(1).learn(0.25)
    board = Board.create(4)
    slots = Slots(board)
    other.past().begin(board, slots, LANE)
    assert board.latency(slots.allocate(scoreboard.SERVER, SERVER)) == pytest.approx(0.25)
    assert (scoreboard.SERVER, SERVER) in other.past().identities()


def test_what_has_moved_is_found_by_its_name_and_what_is_unknown_left_out(other):
    row = other.row(1)
    row.add(fields.SERVER_CONNECTIONS_TOTAL, 5)
    row.add(fields.SERVER_CONNECTION_ERRORS, 2)

    def otherwise(about):
        server = about["kinds"][scoreboard.SERVER]
        assert server["name"] == "server"
        names = {fields.SERVER_CONNECTIONS_TOTAL: "connection_errors", fields.SERVER_CONNECTION_ERRORS: "forgotten"}
        server["counters"] = [[place, names.get(place, name)] for place, name in server["counters"]
                              if place in names]
        about["kinds"].append({**server, "name": "of another time"})
    board = Board.create(4)
    slots = Slots(board)
    other.past(otherwise).begin(board, slots, LANE)
    assert total(board, slots, fields.SERVER_CONNECTION_ERRORS) == 5
    assert total(board, slots, fields.SERVER_CONNECTIONS_TOTAL) == 0


def test_endings_are_known_by_their_words(other):
    places = dict(described(other.board, other.slots)["kinds"][scoreboard.PROCESS]["counters"])
    assert places[fields.PROCESS_ENDINGS] == "lbd_endings{ok}"


@pytest.mark.parametrize("about", [{}, {"page": 1, "lane": 10**9, "lanes": 9, "kinds": []}, {"page": "x"}])
def test_a_description_that_is_none(other, about):
    with pytest.raises((KeyError, ValueError)):
        OldScoreboard(other.board.fd, about)
