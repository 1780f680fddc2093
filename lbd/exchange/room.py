"""The choice of a server in a bounded backend: one with room, and the client's own server before any other."""

from collections.abc import Callable

from lbd.backend.backend import Backend
from lbd.backend.queue import Queue
from lbd.backend.server import Server
from lbd.exchange.choice import choice, own, tried
from lbd.exchange.exchange import Exchange
from lbd.stats import endings


class Room:
    """The choice that the gate of a backend makes, in one worker."""

    def __init__(self, backend: Backend, queue: Queue) -> None:
        self._backend = backend
        self.queue = queue

    def overfull(self, exchange: Exchange) -> bool:
        """Refuse the request where the backend has as many in flight as it may have."""
        most = self._backend.settings.max_in_flight
        if most is None or self.queue.in_flight() <= most:
            return False
        exchange.refuse(503, endings.BACKEND_FULL)
        return True

    @property
    def waits(self) -> bool:
        """Whether clients wait for their own servers."""
        sticky = self._backend.settings.stickiness
        return sticky is not None and sticky.when_full != "move"

    def line(self, exchange: Exchange) -> Server | None:
        """The server that a request would wait for because its client has it."""
        had = own(exchange) if self.waits else None
        return None if had is None or had in tried(exchange) else had

    def vacant(self, server: Server) -> bool:
        """Whether a new request can have the server at once: no other waits that would take it."""
        return not server.max_conns or (self.queue.room(server) and not self.queue.anywhere())

    def anywhere(self, exchange: Exchange) -> Server | None:
        """A server with room for a new request; None where others wait before it."""
        queue, pool = self.queue, self._backend.pool
        if pool is None or not queue.anywhere():
            return self.choose(exchange, queue.room)
        if self._bounded(pool.usable) and queue.oldest() >= 0:
            return None
        return self.choose(exchange, lambda server: queue.room(server) and queue.awaited(server) < 0)

    def elsewhere(self, exchange: Exchange) -> Server | None:
        """Another server for a request that may not wait for its client's own one, or not any longer."""
        sticky = self._backend.settings.stickiness
        return self.anywhere(exchange) if sticky is not None and sticky.when_full == "wait-then-move" else None

    def choose(self, exchange: Exchange, room: Callable[[Server], bool]) -> Server | None:
        """The server that the algorithm chooses, if it has room; else the least loaded server with room, preferably one
        that the request did not try yet."""
        failed = tried(exchange)
        server = None if failed else choice(exchange)
        if server is not None and room(server):
            return server
        pool = self._backend.pool
        return pool.pick_with_room(exchange, room, failed) if pool is not None else None

    def _bounded(self, usable: tuple[Server, ...]) -> bool:
        return all(server.max_conns for server in usable)
