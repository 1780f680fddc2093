"""Time in a worker: one coarse clock, and one look through the connections for those whose deadline has passed.

No timer per request: a deadline is an attribute, and a tenth of the connections is looked at on every tick.
"""

import asyncio
import time
from typing import Any

TICK = 0.1            # seconds
PARTS = 10
FEW = 4000            # up to so many connections all are looked at on every tick


class Timers:
    """Owns the set of client connections, in parts, and the tick that looks through them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, plane: Any) -> None:
        self._loop = loop
        self._plane = plane
        self._parts: list[set[Any]] = [set() for _ in range(PARTS)]
        self._turn = 0
        self.clock = time.monotonic
        self.late = 0.0
        self._handle = loop.call_later(TICK, self._tick)

    def add(self, client: Any) -> None:
        """Look after a client connection."""
        self._parts[(id(client) >> 5) % PARTS].add(client)

    def remove(self, client: Any) -> None:
        """It is gone."""
        self._parts[(id(client) >> 5) % PARTS].discard(client)

    def everyone(self) -> list[Any]:
        """All client connections."""
        return [client for part in self._parts for client in part]

    def stop(self) -> None:
        """Tick no more."""
        self._handle.cancel()

    def _tick(self) -> None:
        plane = self._plane
        now = self.clock()
        self.late = max(now - plane.now - TICK, 0.0)
        plane.now = now
        self._handle = self._loop.call_later(TICK, self._tick)
        self._turn = (self._turn + 1) % PARTS
        parts = self._parts if plane.clients <= FEW else [self._parts[self._turn]]
        for part in parts:
            for client in [client for client in part if client.deadline < now]:
                try:
                    client.expire()
                except Exception:      # a fault there must not end the time of all others
                    plane.log.exception("a connection failed at its deadline", state=client.state)
                    client.transport.abort()
        self._servers(now)
        plane.draining.tick(now)
        plane.ticked(self.late)

    def _servers(self, now: float) -> None:
        """Idle server connections that waited long enough, oldest first; servers whose doubt is over."""
        for backend in self._plane.backends.values():
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
            if pool is not None and pool.doubtful and any(0 < server.doubt < now for server in pool.servers):
                for server in pool.servers:
                    if server.doubt < now:
                        server.doubt = 0.0
                backend.rebuild()
