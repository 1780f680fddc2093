"""Admission: the queue of requests that wait for a server with room, where servers or the backend have limits.

One queue models those of all workers, which admit the request that waits longest, in whichever worker it is.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from lbd import schema
from lbd.backend.pool import load
from lbd.backend.server import Server
from lbd.simulation.scenario import Flight
from lbd.stats import endings
from lbd.stats.scoreboard import Board

Dispatch = Callable[[float, Flight, Server], None]
Fail = Callable[[float, Flight, int, int], None]
CallAt = Callable[[float, Callable[[float], None]], None]


class SimulatedAdmission:
    """`choose` asks the algorithm, `dispatch` sends a request to a server, `fail` ends one, `call_at` calls back."""

    def __init__(self, board: Board, settings: schema.BackendConfig, choose: Callable[[Flight], Server | None],
                 dispatch: Dispatch, fail: Fail, call_at: CallAt) -> None:
        self._board = board
        self._settings = settings
        self._choose = choose
        self._dispatch = dispatch
        self._fail = fail
        self._call_at = call_at
        self._waiting: OrderedDict[Flight, Any] = OrderedDict()     # each with its request, as flights are reused
        self._draining = False

    def admit(self, now: float, flight: Flight, in_flight: int) -> None:
        """Send a new request to a server if there is room and the queue is empty, else append it to the queue."""
        most = self._settings.max_in_flight
        usable = flight.usable
        if most is not None and in_flight > most:
            self._fail(now, flight, 503, endings.BACKEND_FULL)
        elif not usable:
            self._fail(now, flight, 503, endings.NO_SERVER)
        else:
            behind = self._waiting and all(server.max_conns for server in usable)
            server = None if behind else self._server_with_room(flight)
            if server is not None:
                self._dispatch(now, flight, server)
            elif len(self._waiting) >= self._settings.queue or not self._settings.timeouts.queue:
                self._fail(now, flight, 503, endings.QUEUE_FULL)
            else:
                self.enqueue(now, flight)

    def enqueue(self, now: float, flight: Flight, first: bool = False) -> None:
        """Queue the request for at most `timeouts.queue` seconds; `first`: at the front, as it was admitted before."""
        self._waiting[flight] = flight.request
        if first:
            self._waiting.move_to_end(flight, last=False)
        self._call_at(now + self._settings.timeouts.queue, partial(self._expire, flight, flight.request))

    def has_room(self, server: Server) -> bool:
        """Whether the server can take one more request."""
        return not server.max_conns or self._board.in_flight(server.slot) < server.max_conns

    def drain_queue(self, now: float) -> None:
        """Admit queued requests in their order as long as there is room."""
        if self._draining:       # a request that the loop below admits may end at once and call this again
            return
        self._draining = True
        while self._waiting:
            flight = next(iter(self._waiting))
            usable = flight.usable
            server = self._server_with_room(flight) if usable else None
            if usable and server is None:
                break
            del self._waiting[flight]
            if server is None:
                self._fail(now, flight, 503, endings.NO_SERVER)
            else:
                self._dispatch(now, flight, server)
        self._draining = False

    def _server_with_room(self, flight: Flight) -> Server | None:
        """The algorithm's choice if it has room, else the least loaded server with room, an untried one first."""
        tried = flight.tried
        server = None if tried else self._choose(flight)
        if server is not None and self.has_room(server):
            return server
        free = [other for other in flight.usable if self.has_room(other)]
        return min(free, key=lambda other: (other in tried, load(other)), default=None)

    def _expire(self, flight: Flight, request: object, now: float) -> None:
        if self._waiting.get(flight) is request:
            del self._waiting[flight]
            self._fail(now, flight, 503, endings.QUEUE_TIMEOUT)
