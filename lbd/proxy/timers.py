"""The timers of a worker: one coarse clock, and one look through the connections for passed deadlines.

No timer per request: a deadline is an attribute, and on every tick the connections are looked at, or a tenth of them.
"""

import asyncio
import time
from collections.abc import Collection
from typing import Any

from lbd.log.logger import logger

TICK = 0.1            # seconds
PARTS = 10
STALL = 1.0           # seconds that a tick is late by when the whole process stood still
FEW = 4000            # up to so many connections all are looked at on every tick


class Timers:
    """Owns the set of client connections, and the tick that looks through them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, plane: Any) -> None:
        self._loop = loop
        self._plane = plane
        self.clients: set[Any] = set()
        self._round: list[Any] = []       # of many: those that a round looks through, and how many it has
        self._seen = 0
        self.clock = time.monotonic
        self.late = 0.0
        self._handle = loop.call_later(TICK, self._tick)

    def everyone(self) -> list[Any]:
        """All client connections."""
        return list(self.clients)

    def stop(self) -> None:
        """Tick no more."""
        self._handle.cancel()

    def _tick(self) -> None:
        plane = self._plane
        now = self.clock()
        self.late = max(now - plane.now - TICK, 0.0)
        plane.now = now
        if self.late >= STALL:
            self._forgive(self.late)
        self._handle = self._loop.call_later(TICK, self._tick)
        for client in [client for client in self._part() if client.deadline < now]:
            try:
                client.expire()
            except Exception:      # a fault there must not stop the deadlines of all others
                logger.exception("a connection failed at its deadline", state=client.state)
                client.transport.abort()
        self._servers(now)
        plane.draining.tick(now)
        plane.ticked(self.late)

    def _forgive(self, seconds: float) -> None:
        """Put every deadline off by the time in which nothing was read: what peers sent meanwhile is still unread, and
        deadlines set since then were counted from a clock that stood still too."""
        for client in self.clients:
            client.deadline += seconds

    def _part(self) -> Collection[Any]:
        """The connections to look at now: all where they are few, else a tenth of those of this round."""
        if len(self.clients) <= FEW:
            self._round = []
            return self.clients
        if self._seen >= len(self._round):
            self._round, self._seen = list(self.clients), 0
        first, self._seen = self._seen, self._seen + len(self._round) // PARTS + 1
        return [client for client in self._round[first:self._seen] if client in self.clients]

    def _servers(self, now: float) -> None:
        """Close server connections that were idle long enough, oldest first, and end the back-offs that are over."""
        for backend in self._plane.in_force.backends.values():
            oldest = now - backend.settings.timeouts.server_idle
            pool = backend.pool
            backend.tick(now)
            for server in backend.servers.values():
                idle = server.idle
                while idle:
                    upstream = next(iter(idle))
                    if upstream.since > oldest:
                        break
                    upstream.close()
            if pool is not None and pool.backing_off and any(0 < server.backoff.until < now for server in pool.servers):
                for server in pool.servers:
                    if server.backoff.until < now:
                        server.backoff.until = 0.0
                backend.rebuild()
