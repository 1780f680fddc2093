"""The scoreboard: a memfd of C numbers that every process maps; one lane per process, one writer per cell."""

from collections.abc import Sequence

SERVER: int        # kinds of rows
ROUTE: int         # a pair (listener, backend)
BACKEND: int
LISTENER: int
PROCESS: int       # slot 0 of each lane: figures of the process itself

class Board:
    """One mapping of the scoreboard."""

    fd: int
    lanes: int
    layout: int          # hash of the layout; equal in all processes that share the board

    @staticmethod
    def create(lanes: int) -> Board:
        """A new, empty board (supervisor)."""
    @staticmethod
    def attach(fd: int) -> Board:
        """Map an inherited board; ValueError if its layout is another."""
    def row(self, lane: int, kind: int, slot: int) -> Row: ...
    def total(self, kind: int, slot: int, field: int) -> float:
        """Sum over all lanes."""
    def totals(self, kind: int, slot: int) -> list[float]:
        """All fields of a row, summed over all lanes, in the order of `stats.fields`."""
    def in_flight(self, slot: int) -> int: ...
    def latency(self, slot: int) -> float:
        """Decayed mean over all lanes in seconds; -1.0 without a sample."""
    def clear(self, kind: int, slot: int) -> None:
        """Zero a row in all lanes (a slot gets a new owner)."""
    def clear_gauges(self, lane: int) -> None:
        """Zero the gauges of a dead process; its counters stay."""

class Row:
    """One row of one lane: the cells that this process writes."""

    def add(self, field: int, amount: float) -> None: ...
    def get(self, field: int) -> float: ...
    def set(self, field: int, value: float) -> None: ...

class Record:
    """What is measured of one exchange; one per client connection, used again for every request."""

    started: float       # seconds, monotonic, when the head was accepted
    status: int

    def __init__(self, process: Row) -> None: ...
    def begin(self, route: Row, backend: Row) -> None:
        """A request head was accepted."""
    def took(self, server: Row) -> None:
        """A server was chosen: in flight there from now on."""
    def dropped(self, failed: bool) -> None:
        """The server is given up for another: no longer in flight; a failure is a slow sample."""
    def head(self, status: int) -> None:
        """The final response head came from the server: the latency sample of `header`."""
    def finish(self, ending: int, bytes_in: int, bytes_out: int) -> None:
        """The exchange ended: counters, histogram, ending; releases the server."""

class Least:
    """Finds the least loaded of some servers, load being (in flight of all lanes + 1) / weight."""

    def __init__(self, board: Board, slots: Sequence[int], weights: Sequence[float]) -> None: ...
    def pick(self) -> int:
        """Index of the least loaded; ties in turn; -1 if there is none."""

def now() -> float:
    """Monotonic seconds."""
