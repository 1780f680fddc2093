"""The lanes of the scoreboard: each is written by one process at a time."""

from collections.abc import Iterable

from lbd.stats import fields, scoreboard
from lbd.stats.endings import ENDINGS
from lbd.stats.scoreboard import Board


class Lanes:
    """The lanes of one scoreboard, free or in use."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._free = list(range(board.lanes))

    def allocate(self) -> int | None:
        """The lowest free lane, None if all are in use."""
        return self._free.pop(0) if self._free else None

    def occupy(self, lane: int) -> None:
        """Reserve a lane that another process uses already."""
        if lane in self._free:
            self._free.remove(lane)

    def release(self, lane: int) -> None:
        """Free the lane of a dead process: its open connections and requests are gone, its counters stay."""
        self._board.clear_gauges(lane)
        self._free.append(lane)
        self._free.sort()

    def requests_served(self, lane: int) -> float:
        """Requests that ever ended in this lane."""
        row = self._board.row(lane, scoreboard.PROCESS, 0)
        return sum(row.get(fields.PROCESS_ENDINGS + ending) for ending in range(len(ENDINGS)))

    def connections_accepted(self, lane: int, listeners: Iterable[int]) -> float:
        """Connections that were ever accepted in this lane, by the listeners of these slots."""
        return sum(self._board.row(lane, scoreboard.LISTENER, slot).get(fields.LISTENER_ACCEPTED) for slot in listeners)
