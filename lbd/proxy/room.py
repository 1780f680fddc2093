"""The choice of a server in a bounded backend: one with room, and the client's own server before any other."""

from collections.abc import Callable
from typing import Any

from lbd.backend.backend import Backend
from lbd.backend.queue import Queue
from lbd.backend.server import Server


class Room:
    """The choice that the gate of a backend makes, in one worker."""

    def __init__(self, backend: Backend, queue: Queue) -> None:
        self._backend = backend
        self.queue = queue

    @property
    def waits(self) -> bool:
        """Whether clients wait for their own servers."""
        sticky = self._backend.settings.stickiness
        return sticky is not None and sticky.when_full != "move"

    def line(self, client: Any) -> Server | None:
        """The server that a request would wait for because its client has it."""
        own: Server | None = client.own() if self.waits else None
        return None if own is None or own in (client.tried or ()) else own

    def vacant(self, server: Server) -> bool:
        """Whether a new request can have the server at once: no other waits that would take it."""
        return not server.max_conns or (self.queue.room(server) and not self.queue.anywhere())

    def anywhere(self, client: Any) -> Server | None:
        """A server with room for a new request; None where others wait before it."""
        queue, pool = self.queue, self._backend.pool
        if pool is None or not queue.anywhere():
            return self.choose(client, queue.room)
        if self._bounded(pool.usable) and queue.oldest() >= 0:
            return None
        return self.choose(client, lambda server: queue.room(server) and queue.awaited(server) < 0)

    def elsewhere(self, client: Any) -> Server | None:
        """Another server for a request that may not wait for its client's own one, or not any longer."""
        sticky = self._backend.settings.stickiness
        return self.anywhere(client) if sticky is not None and sticky.when_full == "wait-then-move" else None

    def choose(self, client: Any, room: Callable[[Server], bool]) -> Server | None:
        """The server that the algorithm chooses, if it has room; else the least loaded server with room, preferably one
        that the request did not try yet."""
        tried = client.tried or ()
        server: Server | None = None if tried else client.choice()
        if server is not None and room(server):
            return server
        pool = self._backend.pool
        return pool.pick_with_room(client, room, tried) if pool is not None else None

    def _bounded(self, usable: tuple[Server, ...]) -> bool:
        return all(server.max_conns for server in usable)
