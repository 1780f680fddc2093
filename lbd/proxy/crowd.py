"""How many connections a listener lets in: at a time, at a time from one client, and within a second."""

from collections import deque
from typing import NamedTuple, Protocol

from lbd.stats import endings, fields
from lbd.stats.bound import total
from lbd.stats.scoreboard import Row

STEPS = 10        # ticks of the clock in a second


class Bounds(NamedTuple):
    """The most there may be; None: any number."""

    connections: int | None = None
    per_client: int | None = None
    rate: int | None = None


class Client(Protocol):
    """A connection, as far as it is counted: an address, b"" for a Unix socket."""

    @property
    def peer(self) -> bytes: ...
    @property
    def counted(self) -> bool: ...


class Crowd:
    """The connections of one listener in one worker. `row` has those of all workers together.

    The bound of connections holds for all workers together. So does the rate, but workers that accept at the same
    moment may let in one more each, and a second is looked at in steps of a tick. What one client may have is counted
    by each worker for itself. Every connection is counted, also one that is turned away, until it is gone.
    """

    def __init__(self, row: Row, bounds: Bounds) -> None:
        self.bounds = bounds
        self._row = row
        self._peers: dict[bytes, int] = {}       # as many as there are connections, at most
        self._before: deque[float] = deque([self._let_in()], STEPS)

    def arrived(self, client: Client) -> int:
        """A connection was accepted, and is counted as one of the listener; the ending where it is one too many, else
        0."""
        row, bounds = self._row, self.bounds
        crowded = client.counted and self._join(client)
        if bounds.rate is not None and self._let_in() - self._before[0] > bounds.rate:
            row.add(fields.LISTENER_REFUSED_RATE, 1)
            return endings.ACCEPT_RATE
        if bounds.connections is not None and total(row, fields.LISTENER_CONNECTIONS) > bounds.connections:
            row.add(fields.LISTENER_REFUSED_FULL, 1)
            return endings.LISTENER_FULL
        return self._full() if crowded else 0

    def known(self, client: Client) -> int:
        """It is known who the client is; the ending where it has one connection too many, else 0."""
        return self._full() if self._join(client) else 0

    def _join(self, client: Client) -> bool:
        """Count it; true where the client has one too many."""
        most, peer = self.bounds.per_client, client.peer
        if most is None or not peer:
            return False
        self._peers[peer] = number = self._peers.get(peer, 0) + 1
        return number > most

    def _full(self) -> int:
        self._row.add(fields.LISTENER_REFUSED_CLIENT, 1)
        return endings.CLIENT_FULL

    def left(self, client: Client) -> None:
        """A connection is gone; one from before there was a bound was not counted."""
        if client.counted and client.peer in self._peers:
            self._peers[client.peer] -= 1
            if not self._peers[client.peer]:
                del self._peers[client.peer]

    def tick(self) -> None:
        """A tenth of a second is over."""
        self._before.append(self._let_in())

    def _let_in(self) -> float:
        return total(self._row, fields.LISTENER_ACCEPTED) - total(self._row, fields.LISTENER_REFUSED_RATE)
