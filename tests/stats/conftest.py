"""A scoreboard for the tests of lbd.stats, and one process's side of it with a clock that the test moves."""

from collections.abc import Callable, Iterator

import pytest

from lbd.stats import endings, scoreboard
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, SERVER, Board, Record, Row


@pytest.fixture(autouse=True)
def _running_clock() -> Iterator[None]:
    yield
    scoreboard.freeze(None)


@pytest.fixture
def board() -> Board:
    return Board.create(4)


class Lane:
    """The side of a board that one process writes: its rows and a record."""

    def __init__(self, board: Board, lane: int) -> None:
        self.board = board
        self.lane = lane
        self.process = board.row(lane, PROCESS, 0)
        self.route = board.row(lane, ROUTE, 0)
        self.backend = board.row(lane, BACKEND, 0)
        self.record = Record(self.process)

    def server(self, slot: int) -> Row:
        return self.board.row(self.lane, SERVER, slot)

    def take(self, slot: int, at: float) -> None:
        """A request goes to the server at that time."""
        scoreboard.freeze(at)
        self.record.begin(self.route, self.backend)
        self.record.took(self.server(slot))

    def answer(self, slot: int, at: float, seconds: float, status: int = 200) -> None:
        """A response head comes at that time, `seconds` after the request."""
        self.take(slot, at - seconds)
        scoreboard.freeze(at)
        self.record.head(status)
        self.record.finish(endings.OK, 0, 0)

    def fail(self, slot: int, at: float, seconds: float) -> None:
        """The server times out at that time."""
        self.take(slot, at - seconds)
        scoreboard.freeze(at)
        self.record.finish(endings.SERVER_TIMEOUT, 0, 0)


@pytest.fixture
def lane(board: Board) -> Lane:
    return Lane(board, 0)


@pytest.fixture
def lane_of(board: Board) -> Callable[[int], Lane]:
    return lambda number: Lane(board, number)
