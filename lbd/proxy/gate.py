"""The gate of a backend with bounds: lets requests to servers that have room, and has the others wait in order.

A place at a server is a connection: one request needs one, so bounding the connections of all workers bounds the
requests in flight too. Idle connections hold places, and are closed when another worker waits for one.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from lbd.backend.backend import Backend
from lbd.backend.queue import Queue
from lbd.backend.server import Server
from lbd.proxy.exchange import QUEUED
from lbd.proxy.sockets import left
from lbd.stats import endings

LOOK = 0.001     # seconds between two looks while somebody waits here: a bell may have been missed
PATIENCE = 3     # looks at room that the worker whose turn it is does not take, before this one does


class Gate:
    """One backend's gate in one worker."""

    def __init__(self, plane: Any, backend: Backend) -> None:
        self._plane = plane
        self._backend = backend
        self._loop: asyncio.AbstractEventLoop = plane.loop
        self._lane: int = plane.assembly.lane
        self.queue = Queue(plane.assembly.board, self._lane, backend.row)
        self._soon = False
        self._timer: asyncio.TimerHandle | None = None
        self._unused = 0
        self._searched = 0.0      # when it was last asked who left
        self._told: Callable[[Server], None] | None = None

    def admit(self, client: Any) -> None:
        """A new request: to a server if there is room and nobody waits, else to the end of the queue."""
        backend = self._backend
        if self.overfull(client):
            return
        usable = backend.pool.usable if backend.pool is not None else ()
        if not usable:
            client.refuse(503, endings.NO_SERVER if backend.pool is not None else endings.BACKEND_GONE)
            return
        server = None if self.queue.anywhere() and self._bounded(usable) else self._choose(client)
        if server is not None:
            client.dispatch(server)
        elif not backend.settings.timeouts.queue or not self.queue.add(client, backend.settings.queue):
            client.refuse(503, endings.QUEUE_FULL)
        else:
            self._hold(client, self._plane.now + backend.settings.timeouts.queue)

    def overfull(self, client: Any) -> bool:
        """The backend has as many requests in flight as it may have: the client is told so."""
        most = self._backend.settings.max_in_flight
        if most is None or self.queue.in_flight() <= most:
            return False
        client.refuse(503, endings.BACKEND_FULL)
        return True

    def crowded(self, client: Any) -> None:
        """The place was taken by another worker in the last moment: wait on, at the front."""
        waited = client.state == QUEUED
        self.queue.put_back(client)
        self._hold(client, client.deadline if waited else self._plane.now + self._backend.settings.timeouts.queue)

    def leave(self, client: Any) -> None:
        """The request is answered or cancelled in another way."""
        self.queue.remove(client)

    def attach(self) -> None:
        """Hear of requests that end, besides the algorithm."""
        algorithm = self._backend.pool.algorithm if self._backend.pool is not None else None
        self._told = algorithm.dropped if algorithm is not None else None
        self._backend.dropped = self._dropped

    def _dropped(self, server: Server) -> None:
        if self._told is not None:
            self._told(server)
        self.freed()

    def freed(self) -> None:
        """There may be room, here or elsewhere: see to it in the loop's next turn."""
        if not self._soon and self.queue.anywhere():
            self._soon = True
            self._loop.call_soon(self._pump_soon)

    def pump(self, in_turn: bool = True) -> None:
        """Let in whose turn it is; without `in_turn` whoever waits here."""
        queue, pool = self.queue, self._backend.pool
        while (client := queue.first()) is not None:
            if pool is None or not pool.usable:
                queue.remove(client)
                client.give_up(503, endings.BACKEND_GONE if pool is None else endings.NO_SERVER)
                continue
            if in_turn and not self._mine():
                break
            server = self._choose(client) if any(map(queue.room, pool.usable)) else None
            if server is None:
                self._want()
                break
            queue.remove(client)
            client.dispatch(server)
            if client in queue:
                break       # crowded out
        if pool is not None and queue.anywhere() and not self._mine():
            self._hand_over()
        self._watch()

    def close(self) -> None:
        """The gate is not needed any more: everybody goes in."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for client in self.queue:
            self.queue.remove(client)
            if self._backend.pool is None:
                client.give_up(503, endings.BACKEND_GONE)
            else:
                client.dispatch()

    def _bounded(self, usable: tuple[Server, ...]) -> bool:
        return all(server.max_conns for server in usable)

    def _mine(self) -> bool:
        return self.queue.oldest() == self._lane

    def _choose(self, client: Any) -> Server | None:
        """The server that the algorithm chooses, if it has room; else the least loaded one that has, rather one that
        the request did not try yet."""
        queue, tried = self.queue, client.tried or ()
        server: Server | None = None if tried else client.choice()
        if server is not None and queue.room(server):
            return server
        pool = self._backend.pool
        return pool.pick_with_room(client, queue.room, tried) if pool is not None else None

    def _hold(self, client: Any, deadline: float) -> None:
        client.state = QUEUED
        client.deadline = deadline
        if not client.sent:
            client.transport.pause_reading()
        self.freed()
        self._watch()

    def _want(self) -> None:
        """It is our turn and there is no room: idle connections of other workers may take it up."""
        pool = self._backend.pool
        lanes = {lane for server in (pool.usable if pool is not None else ()) if server.max_conns
                 for lane in self.queue.idlers(server)}
        for lane in lanes:
            self._plane.bells.ring(lane)

    def _hand_over(self) -> None:
        """Another worker's request has waited longest: make room for it, and tell that worker."""
        pool = self._backend.pool
        usable = pool.usable if pool is not None else ()
        for server in usable:
            if server.max_conns and server.idle:
                next(iter(server.idle)).close()     # the bell rings once that is done
                return
        if any(map(self.queue.room, usable)):
            self._plane.bells.ring(self.queue.oldest())

    def _pump_soon(self) -> None:
        self._soon = False
        self.pump()

    def _watch(self) -> None:
        """Look again in a while, as long as somebody waits here."""
        if self._timer is None and len(self.queue):
            self._timer = self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._plane.timers.clock()
        while (client := self.queue.first()) is not None and client.deadline < now:
            client.expire()     # the connections' own look may be a second away when they are many
        if self._plane.now != self._searched:
            self._searched = self._plane.now
            for client in [client for client in self.queue if gone(client)]:
                client.cut(endings.CLIENT_CLOSED)
        pool = self._backend.pool
        unused = pool is not None and not self._mine() and any(map(self.queue.room, pool.usable))
        self._unused = self._unused + 1 if unused else 0
        self.pump(self._unused < PATIENCE)


def gone(client: Any) -> bool:
    """The client of an upload left. Uploads are not read while they wait, so nothing else tells of it; one that has
    sent all of its body, and an end behind it, waits for its answer."""
    return not client.sent and left(client.transport, client.left if client.chunks is None else 0)
