"""The limits of a listener's connections: at a time, at a time from one client, and accepted within a second."""

from collections import deque
from typing import NamedTuple, Protocol

from lbd.stats import endings, fields
from lbd.stats.bound import total
from lbd.stats.scoreboard import Row

STEPS = 10        # ticks of the clock in a second


class Bounds(NamedTuple):
    """The configured limits; None: no limit."""

    connections: int | None = None
    per_client: int | None = None
    rate: int | None = None


class CountedConnection(Protocol):
    """A connection as the limits see it. `address`: the client's address, b"" on a Unix socket; `counted`: that address
    is the client's, not that of a proxy in front of it."""

    @property
    def address(self) -> bytes: ...
    @property
    def counted(self) -> bool: ...


class ConnectionLimits:
    """The connections of one listener in one worker. `row` has those of all workers together.

    The limit of connections holds for all workers together. So does the rate, but workers that accept at the same
    moment may let in one more each, and the last second moves on in steps of a tick. The limit per client holds in each
    worker. Every connection is counted, also a rejected one, until it is gone.
    """

    def __init__(self, row: Row, bounds: Bounds) -> None:
        self.bounds = bounds
        self._row = row
        self._peers: dict[bytes, int] = {}       # as many as there are connections, at most
        self._before: deque[float] = deque([self._let_in()], STEPS)

    def connected(self, client: CountedConnection) -> int:
        """Count an accepted connection; the ending where it is one too many, else 0."""
        row, bounds = self._row, self.bounds
        full = client.counted and self._count(client)
        if bounds.rate is not None and self._let_in() - self._before[0] > bounds.rate:
            row.add(fields.LISTENER_REFUSED_RATE, 1)
            return endings.ACCEPT_RATE
        if bounds.connections is not None and total(row, fields.LISTENER_CONNECTIONS) > bounds.connections:
            row.add(fields.LISTENER_REFUSED_FULL, 1)
            return endings.LISTENER_FULL
        return self._client_full() if full else 0

    def identified(self, client: CountedConnection) -> int:
        """Count a connection for the client that a proxy named; the ending where it is one too many, else 0."""
        return self._client_full() if self._count(client) else 0

    def _count(self, client: CountedConnection) -> bool:
        """Count a connection; true where its client has one too many."""
        most, peer = self.bounds.per_client, client.address
        if most is None or not peer:
            return False
        self._peers[peer] = number = self._peers.get(peer, 0) + 1
        return number > most

    def _client_full(self) -> int:
        self._row.add(fields.LISTENER_REFUSED_CLIENT, 1)
        return endings.CLIENT_FULL

    def disconnected(self, client: CountedConnection) -> None:
        """Count a connection no more; one from before there was a limit was never counted."""
        if client.counted and client.address in self._peers:
            self._peers[client.address] -= 1
            if not self._peers[client.address]:
                del self._peers[client.address]

    def tick(self) -> None:
        """Move the second of the rate on; called every tenth of a second."""
        self._before.append(self._let_in())

    def _let_in(self) -> float:
        return total(self._row, fields.LISTENER_ACCEPTED) - total(self._row, fields.LISTENER_REFUSED_RATE)
