"""The queue of a backend in one worker: requests that wait for room, in order, with a view of the others' queues.

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
    """`row` is the backend's in this worker's `lane`. Times are monotonic seconds.

    Requests that any server will do for stand in one line; those that wait for their client's own server in a line of
    that server, so that they hold up nobody else.
    """

    def __init__(self, board: Board, lane: int, row: Row) -> None:
        self._board = board
        self._lane = lane
        self._row = row
        self._lines: dict[Server | None, dict[Any, float]] = {None: {}}
        self._waiting: dict[Any, Server | None] = {}        # request: its line

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, request: Any) -> bool:
        return request in self._waiting

    def __iter__(self) -> Iterator[Any]:
        return iter([request for line in self._lines.values() for request in line])

    def add(self, request: Any, limit: int, own: Server | None = None) -> bool:
        """Append the request to the line of its own server, or to the common one; false when so many wait already, in
        all workers together."""
        if not reserve(self._row, fields.BACKEND_QUEUE, limit):
            return False
        self._waiting[request] = own
        self._lines.setdefault(own, {})[request] = scoreboard.now()
        self._publish(own)
        return True

    def put_back(self, request: Any, own: Server | None = None) -> None:
        """Put a request whose turn came to nothing back at the front, whatever the limit."""
        self._row.add(fields.BACKEND_QUEUE, 1)
        line = self._lines.get(own, {})
        first = next(iter(line.values()), scoreboard.now())
        self._waiting[request] = own
        self._lines[own] = {request: first, **line}
        self._publish(own)

    def remove(self, request: Any) -> None:
        """Take the request out of its line; no error if it does not wait."""
        if request in self._waiting:
            own = self._waiting.pop(request)
            line = self._lines[own]
            del line[request]
            if not line and own is not None:
                del self._lines[own]
            self._row.add(fields.BACKEND_QUEUE, -1)
            self._publish(own)

    def release(self, own: Server) -> None:
        """Move the requests that wait for a server that keeps its clients no more to the common line, by their age."""
        line = self._lines.pop(own, {})
        self._waiting.update(dict.fromkeys(line))
        common = {**self._lines[None], **line}
        self._lines[None] = dict(sorted(common.items(), key=lambda waiting: waiting[1]))
        self._publish(own)
        self._publish(None)

    def own(self, request: Any) -> Server | None:
        """The single server that a waiting request waits for; None: any."""
        return self._waiting.get(request)

    def lines(self) -> list[Server | None]:
        """The lines that are not empty, by the age of their first request."""
        return sorted((own for own, line in self._lines.items() if line), key=self._since)

    def first(self, own: Server | None = None) -> Any:
        """The request that waits longest in a line here; None if there is none."""
        return next(iter(self._lines.get(own, ())), None)

    def due(self, own: Server | None, server: Server) -> bool:
        """Whether it is the turn of the first in a line to take that server: no request that could take it has waited
        longer, in any worker."""
        before = self._since(own) - NEAR
        board = self._board
        since = board.each(scoreboard.SERVER, server.slot, fields.SERVER_OLDEST)
        if own is not None:
            since += board.each(scoreboard.BACKEND, self._row.slot, fields.BACKEND_OLDEST)
        return not any(0 < moment < before for moment in since)

    def awaited(self, server: Server) -> int:
        """The lane whose request for that server alone has waited longest; -1 if there is none."""
        since = self._board.each(scoreboard.SERVER, server.slot, fields.SERVER_OLDEST)
        return min(((moment, lane) for lane, moment in enumerate(since) if moment), default=(0.0, -1))[1]

    def anywhere(self) -> bool:
        """Whether any request waits, in this worker or another."""
        return self._board.total(scoreboard.BACKEND, self._row.slot, fields.BACKEND_QUEUE) > 0

    def oldest(self) -> int:
        """The lane whose request in the common line has waited longest, this one if the difference is small; -1 if
        the line is empty everywhere."""
        since = self._board.each(scoreboard.BACKEND, self._row.slot, fields.BACKEND_OLDEST)
        waiting = [(moment, lane) for lane, moment in enumerate(since) if moment]
        if not waiting:
            return -1
        mine = self._since(None)
        least, lane = min(waiting)
        return self._lane if mine and mine - least <= NEAR else lane

    def room(self, server: Server) -> bool:
        """Whether the server can take a request of this worker now, as far as can be seen without reserving."""
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
        """Requests of all workers to the backend, waiting ones too."""
        return self._board.total(scoreboard.BACKEND, self._row.slot, fields.BACKEND_IN_FLIGHT)

    def _since(self, own: Server | None) -> float:
        return next(iter(self._lines.get(own, {}).values()), 0.0)

    def _publish(self, own: Server | None) -> None:
        if own is None:
            self._row.set(fields.BACKEND_OLDEST, self._since(None))
        else:
            own.row.set(fields.SERVER_OLDEST, self._since(own))
