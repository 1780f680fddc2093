"""The scoreboard: a memfd of C numbers that every process maps; one lane per process, one writer per cell."""

from collections.abc import Iterable, Sequence
from typing import final

SERVER: int        # kinds of rows
ROUTE: int         # a pair (listener, backend)
BACKEND: int
LISTENER: int
PROCESS: int       # slot 0 of each lane: figures of the process itself

LAYOUT: int        # hash of the layout that this code uses; supervisor and workers must agree on it

@final
class Board:
    """A mapping of the scoreboard. Numbers of lanes, kinds, slots and fields out of range raise IndexError."""

    fd: int
    lanes: int
    layout: int          # hash of the layout; equal in all processes that share the board
    per_server: bool     # whether servers have a histogram too; all processes see a change at once
    @property
    def bounds(self) -> tuple[float, ...]:
        """Upper bounds of the histograms, in seconds."""

    @staticmethod
    def create(lanes: int, bounds: Sequence[float] = ...) -> Board:
        """A new, empty board (supervisor); it owns `fd`. Only what is used costs memory.

        `bounds` are the upper bounds of all its histograms, in seconds, rising; 1 to `fields.MOST_BOUNDS`.
        """
    @staticmethod
    def attach(fd: int) -> Board:
        """Map an inherited board; ValueError if its layout is another. The descriptor stays the caller's."""
    def row(self, lane: int, kind: int, slot: int) -> Row: ...
    def total(self, kind: int, slot: int, field: int) -> float:
        """Sum over all lanes."""
    def totals(self, kind: int, slot: int) -> list[float]:
        """All fields of a row, summed over all lanes, in the order of `stats.fields`."""
    def each(self, kind: int, slot: int, field: int) -> list[float]:
        """The values of a field of a row, lane by lane; lanes that were never used are left out at the end."""
    def in_flight(self, slot: int) -> int: ...
    def latency(self, slot: int) -> float:
        """Decayed mean over all lanes in seconds; -1.0 without a sample."""
    def mean(self, slot: int) -> float:
        """The same of a backend: over the good samples of all its servers."""
    def clear(self, kind: int, slot: int) -> None:
        """Zero a row in all lanes (a slot gets a new owner)."""
    def clear_gauges(self, lane: int) -> None:
        """Zero the gauges of a dead process; its counters stay."""

@final
class Row:
    """A row of one lane: the cells that this process writes. Made by `Board.row`."""

    slot: int

    def add(self, field: int, amount: float) -> None: ...
    def both(self, first: int, second: int) -> None:
        """Add 1 to each of two fields."""
    def get(self, field: int) -> float: ...
    def set(self, field: int, value: float) -> None: ...
    def learn(self, seconds: float) -> None:
        """A sample of the latency, where the row has one."""
    def measure(self, decay: float, last_byte: bool, failing: Iterable[tuple[int, int]] = ...) -> None:
        """Of a backend: how latency is measured, and which statuses from 500 to 599, in ranges, are failures of its
        servers; until told otherwise over 10 s, to the response head, and 502 to 504."""

@final
class Record:
    """The measurements of an exchange; one record per client connection, used again for every request.

    Calls that do not fit (a second `finish`, `dropped` without a server) do nothing.
    """

    started: float       # seconds, monotonic, when the head was accepted
    chosen: float        # the first server was chosen; 0: none was
    reached: float       # a connection to the last one was opened; 0: it was there already, or is not yet
    status: int          # of the final head; set it before `finish` where lbd answers itself; 0: none was sent

    def __init__(self, process: Row) -> None: ...
    def begin(self, route: Row, backend: Row | None) -> None:
        """A request head was accepted; where lbd answers itself the backend is None or the process's row.

        An exchange still open ends as `internal-error`.
        """
    def reroute(self, route: Row, backend: Row | None) -> None:
        """Another route has the exchange, before any server does: all of it counts there."""
    def took(self, server: Row) -> None:
        """A server was chosen: in flight there from now on. One that was held is dropped."""
    def connected(self) -> None:
        """A new connection to the server stands: for the log."""
    def dropped(self, failed: bool) -> None:
        """The server is given up for another: no longer in flight; a failure is a slow sample."""
    def head(self, status: int) -> None:
        """The final response head came from the server: the latency sample of `header`."""
    def finish(self, ending: int, bytes_in: int, bytes_out: int) -> None:
        """The exchange ended: counters, histogram, ending; releases the server.

        An ending that `stats.endings` blames on the server, and an answer 502, 503 or 504 of the server, count as its
        failure: a slow sample, and one more in SERVER_FAILURES, which the next success zeroes.
        """

def new_record(process: Row) -> Record:
    """`Record(process)`, for compiled callers without a tuple of arguments."""

def now() -> float:
    """Monotonic seconds."""

def freeze(seconds: float | None) -> None:
    """Stop this process's clock at a time, for tests; None lets it run."""
