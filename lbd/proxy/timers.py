"""The timers of a worker: one coarse clock, and one look through the connections for passed deadlines.

No timer per request: a deadline is an attribute, and on every tick the connections are looked at, or a tenth of them.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from lbd.backend.backend import Backend
from lbd.exchange.context import Ticking, WorkerContext
from lbd.exchange.deadlines import STALL
from lbd.exchange.streams import ClientConnection
from lbd.log.logger import logger
from lbd.stats import endings

TICK = 0.1            # seconds
PARTS = 10
FEW = 4000            # up to so many connections all are looked at on every tick


class Timers:
    """The tick that looks through client connections. `late`: seconds that the last one came late. `due` is called with
    the time on every tick."""

    def __init__(self, loop: asyncio.AbstractEventLoop, context: WorkerContext, clients: Collection[ClientConnection],
                 due: Callable[[float], None]) -> None:
        self._loop = loop
        self._context = context
        self._clients = clients
        self._due = due
        self._round: list[ClientConnection] = []      # of many: those that a round looks through, and how many it has
        self._seen = 0
        self.late = 0.0
        self._handle = loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        self._handle.cancel()

    def _tick(self) -> None:
        context = self._context
        now = context.clock()
        self.late = max(now - context.now - TICK, 0.0)
        context.now = now
        if self.late >= STALL:
            self._forgive(self.late)
        self._handle = self._loop.call_later(TICK, self._tick)
        for client in [client for client in self._part() if client.deadline < now]:
            try:
                client.expire()
            except Exception:      # a fault there must not stop the deadlines of all others
                logger.exception("a connection failed at its deadline", kind=type(client).__name__)
                client.stop(endings.INTERNAL_ERROR)
        for stream in list(context.streams):
            self._tell(stream, now)
        self._due(now)

    def _tell(self, stream: Ticking, now: float) -> None:
        """Have a stream act on its deadlines; one that cannot is cut, and is told no more."""
        try:
            stream.tick(now)
        except Exception:
            logger.exception("a request of a filter failed at its deadline", kind=type(stream).__name__)
            try:
                stream.stop(endings.INTERNAL_ERROR)
            except Exception:      # the same fault, most likely
                logger.exception("a request of a filter could not be cut", kind=type(stream).__name__)
            self._context.streams.discard(stream)

    def _forgive(self, seconds: float) -> None:
        """Put every deadline off by the time in which nothing was read: what peers sent meanwhile is still unread, and
        deadlines set since then were counted from a clock that stood still too."""
        for client in self._clients:
            client.deadline += seconds
        for stream in self._context.streams:
            stream.put_off(seconds)

    def _part(self) -> Collection[ClientConnection]:
        """The connections to look at now: all where they are few, else a tenth of those of this round."""
        if len(self._clients) <= FEW:
            self._round = []
            return self._clients
        if self._seen >= len(self._round):
            self._round, self._seen = list(self._clients), 0
        first, self._seen = self._seen, self._seen + len(self._round) // PARTS + 1
        return [client for client in self._round[first:self._seen] if client in self._clients]


def tend_servers(backends: Iterable[Backend], now: float) -> None:
    """Close server connections that were idle long enough, oldest first, and end the back-offs that are over."""
    for backend in backends:
        oldest = now - backend.settings.timeouts.server_idle
        pool = backend.pool
        backend.tick(now)
        for server in backend.servers.values():
            idle = server.idle
            while idle:
                connection = next(iter(idle))
                if connection.since > oldest:
                    break
                connection.close()
        if pool is not None and pool.backing_off and any(0 < server.backoff.until < now for server in pool.servers):
            for server in pool.servers:
                if server.backoff.until < now:
                    server.backoff.until = 0.0
            backend.rebuild()
