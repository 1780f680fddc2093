"""The queue of one backend in one worker: requests that wait for room, in order; and what the other workers' wait.

Start times are in the scoreboard, so that each worker knows whose request has waited longest.
"""

from collections.abc import Iterator
from typing import Any

from lbd.backend.server import Server
from lbd.stats import fields, scoreboard
from lbd.stats.bound import reserve
from lbd.stats.scoreboard import Board, Row

NEAR = 0.005    # seconds by which two requests count as equally old: a connection need not change hands for less


class Queue:
    """`row` is the backend's in this worker's `lane`. Times are monotonic seconds."""

    def __init__(self, board: Board, lane: int, row: Row) -> None:
        self._board = board
        self._lane = lane
        self._row = row
        self._waiting: dict[Any, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, request: Any) -> bool:
        return request in self._waiting

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(self._waiting))

    def add(self, request: Any, limit: int) -> bool:
        """The request waits at the end; false when so many wait already, in all workers together."""
        if not reserve(self._row, fields.BACKEND_QUEUE, limit):
            return False
        self._waiting[request] = scoreboard.now()
        self._publish()
        return True

    def put_back(self, request: Any) -> None:
        """It had its turn and came to nothing: it waits at the front, whatever the limit."""
        self._row.add(fields.BACKEND_QUEUE, 1)
        first = next(iter(self._waiting.values()), scoreboard.now())
        self._waiting = {request: first, **self._waiting}
        self._publish()

    def remove(self, request: Any) -> None:
        """The request does not wait any more."""
        if self._waiting.pop(request, None) is not None:
            self._row.add(fields.BACKEND_QUEUE, -1)
            self._publish()

    def first(self) -> Any:
        """The request that waits longest here; None if there is none."""
        return next(iter(self._waiting), None)

    def anywhere(self) -> bool:
        """Somebody waits, in this worker or another."""
        return self._board.total(scoreboard.BACKEND, self._row.slot, fields.BACKEND_QUEUE) > 0

    def oldest(self) -> int:
        """The lane whose request has waited longest, this one if there is not much in it; -1 if nobody waits."""
        since = self._board.each(scoreboard.BACKEND, self._row.slot, fields.BACKEND_OLDEST)
        waiting = [(moment, lane) for lane, moment in enumerate(since) if moment]
        if not waiting:
            return -1
        mine = next(iter(self._waiting.values()), 0.0)
        least, lane = min(waiting)
        return self._lane if mine and mine - least <= NEAR else lane

    def room(self, server: Server) -> bool:
        """The server can take a request of this worker now, as far as can be seen without reserving."""
        if not server.max_conns or server.idle:
            return True
        return self._board.total(scoreboard.SERVER, server.slot, fields.SERVER_CONNECTIONS) < server.max_conns

    def idlers(self, server: Server) -> list[int]:
        """The other lanes that hold idle connections to the server."""
        board, slot = self._board, server.slot
        held = zip(board.each(scoreboard.SERVER, slot, fields.SERVER_CONNECTIONS),
                   board.each(scoreboard.SERVER, slot, fields.SERVER_IN_FLIGHT), strict=False)
        return [lane for lane, (open_, busy) in enumerate(held) if open_ > busy and lane != self._lane]

    def in_flight(self) -> float:
        """Requests to the backend of all workers, those that wait too."""
        return self._board.total(scoreboard.BACKEND, self._row.slot, fields.BACKEND_IN_FLIGHT)

    def _publish(self) -> None:
        self._row.set(fields.BACKEND_OLDEST, next(iter(self._waiting.values()), 0.0))
