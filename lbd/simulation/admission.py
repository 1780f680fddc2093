"""The gate: requests that wait until a server has room, where servers or the backend are bounded.

Stands for the gates of all workers, which let in whoever waits longest, be it in another worker.
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

Take = Callable[[float, Flight, Server], None]
Fail = Callable[[float, Flight, int, int], None]
At = Callable[[float, Callable[[float], None]], None]


class SimulatedAdmission:
    """`choice` is the algorithm's, `take` sends a request to a server, `fail` ends it, `at` calls back later."""

    def __init__(self, board: Board, settings: schema.BackendConfig, choice: Callable[[Flight], Server | None],
                 take: Take, fail: Fail, at: At) -> None:
        self._board = board
        self._settings = settings
        self._choice = choice
        self._take = take
        self._fail = fail
        self._at = at
        self._waiting: OrderedDict[Flight, Any] = OrderedDict()     # each with what it is asked, as flights are reused
        self._pumping = False

    def admit(self, now: float, flight: Flight, in_flight: int) -> None:
        """A new request: to a server if there is room and nobody waits, else to the end of the queue."""
        most = self._settings.max_in_flight
        usable = flight.usable
        if most is not None and in_flight > most:
            self._fail(now, flight, 503, endings.BACKEND_FULL)
        elif not usable:
            self._fail(now, flight, 503, endings.NO_SERVER)
        else:
            behind = self._waiting and all(server.max_conns for server in usable)
            server = None if behind else self._roomy(flight)
            if server is not None:
                self._take(now, flight, server)
            elif len(self._waiting) >= self._settings.queue or not self._settings.timeouts.queue:
                self._fail(now, flight, 503, endings.QUEUE_FULL)
            else:
                self.hold(now, flight)

    def hold(self, now: float, flight: Flight, first: bool = False) -> None:
        """It waits, at most as long as the settings allow; `first`: it had its turn, and waits at the front."""
        self._waiting[flight] = flight.asked
        if first:
            self._waiting.move_to_end(flight, last=False)
        self._at(now + self._settings.timeouts.queue, partial(self._expire, flight, flight.asked))

    def room(self, server: Server) -> bool:
        """The server can take one more request."""
        return not server.max_conns or self._board.in_flight(server.slot) < server.max_conns

    def pump(self, now: float) -> None:
        """There may be room: let in who waits longest."""
        if self._pumping:       # the loop below goes on, however requests end that it lets in
            return
        self._pumping = True
        while self._waiting:
            flight = next(iter(self._waiting))
            usable = flight.usable
            server = self._roomy(flight) if usable else None
            if usable and server is None:
                break
            del self._waiting[flight]
            if server is None:
                self._fail(now, flight, 503, endings.NO_SERVER)
            else:
                self._take(now, flight, server)
        self._pumping = False

    def _roomy(self, flight: Flight) -> Server | None:
        """The algorithm's choice if it has room, else the least loaded one that has, rather one not tried yet."""
        tried = flight.tried
        server = None if tried else self._choice(flight)
        if server is not None and self.room(server):
            return server
        free = [other for other in flight.usable if self.room(other)]
        return min(free, key=lambda other: (other in tried, load(other)), default=None)

    def _expire(self, flight: Flight, asked: object, now: float) -> None:
        if self._waiting.get(flight) is asked:
            del self._waiting[flight]
            self._fail(now, flight, 503, endings.QUEUE_TIMEOUT)
