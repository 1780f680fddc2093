"""The gate of a backend with bounds: lets requests to servers that have room, and has the others wait in order.

A place at a server is a connection: one request needs one, so bounding the connections of all workers bounds the
requests in flight too. Idle connections hold places, and are closed when another worker waits for one.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from lbd.backend.backend import Backend
from lbd.backend.queue import Queue
from lbd.backend.server import Server
from lbd.exchange import deadlines, pinned
from lbd.exchange.context import WorkerContext
from lbd.exchange.exchange import Exchange
from lbd.exchange.room import Room
from lbd.exchange.states import QUEUED
from lbd.stats import endings

LOOK = 0.001     # seconds between two looks while a request waits here: a wake-up may have been missed
PATIENCE = 3     # looks at room that the worker whose turn it is does not take, before this one does


class Gate(Room):
    """The gate of a backend in one worker."""

    def __init__(self, context: WorkerContext, backend: Backend) -> None:
        self._context = context
        self._loop: asyncio.AbstractEventLoop = context.loop
        self._lane = context.lane
        super().__init__(backend, Queue(context.board, self._lane, backend.row))
        self._soon = False
        self._timer: asyncio.TimerHandle | None = None
        self._unused = 0
        self._withheld = False    # there was room whose turn is another worker's
        self._searched = 0.0      # when the queue was last searched for clients that left
        self._told: Callable[[Server], None] | None = None

    def admit(self, exchange: Exchange) -> None:
        """Send a new request to a server if one has room and none waits, else put it at the end of the queue."""
        backend = self._backend
        if self.overfull(exchange):
            return
        own, timeout = self.line(exchange), backend.settings.timeouts.queue
        if own is None and (backend.pool is None or not backend.pool.usable):
            exchange.refuse(503, endings.NO_SERVER if backend.pool is not None else endings.BACKEND_GONE)
            return
        server = self.anywhere(exchange) if own is None else own if self.vacant(own) else None
        if server is None and timeout and self.queue.add(exchange, backend.settings.queue, own):
            self._hold(exchange, self._context.now + timeout)
            return
        if server is None and own is not None:
            server = self.elsewhere(exchange)
        if server is not None:
            exchange.dispatch(server)
        else:
            self._want(own)
            exchange.refuse(503, endings.QUEUE_FULL)

    def requeue(self, exchange: Exchange) -> None:
        """Have the request wait on, at the front: another worker took the connection in the last moment."""
        now = self._context.now
        deadline = exchange.downstream.deadline if exchange.state == QUEUED else (
            now + self._backend.settings.timeouts.queue)
        self.queue.put_back(exchange, self.line(exchange) if deadline > now else None)
        self._hold(exchange, deadline)

    def overdue(self, exchange: Exchange) -> bool:
        """Handle a request that has waited as long as it may; true where it waited for its client's own server, and
        goes to another now."""
        server = self.elsewhere(exchange) if self.queue.own(exchange) is not None else None
        if server is None:
            return False
        self.queue.remove(exchange)
        exchange.dispatch(server)
        return True

    def leave(self, exchange: Exchange) -> None:
        """Take a request out of the queue that is answered or cancelled in another way."""
        self.queue.remove(exchange)

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
        """Look at the queue in the loop's next turn: there may be room, here or in other workers."""
        if not self._soon and self.queue.anywhere():
            self._soon = True
            self._loop.call_soon(self._pump_soon)

    def pump(self, in_turn: bool = True) -> None:
        """Let in the requests whose turn it is; without `in_turn` all that wait here."""
        queue = self.queue
        self._withheld = False
        for own in queue.lines():
            if own is not None and not (self.waits and own.keeps_clients()):
                queue.release(own)
        for own in queue.lines():
            while (exchange := queue.first(own)) is not None and self._let_in(exchange, own, in_turn):
                pass
        if self._backend.pool is not None and queue.anywhere():
            self._hand_over()
        self._watch()

    def _let_in(self, exchange: Exchange, own: Server | None, in_turn: bool) -> bool:
        """Let in the first of a line, if there is room and it is its turn; whether the next may be looked at."""
        queue, pool = self.queue, self._backend.pool
        if own is None and (pool is None or not pool.usable):
            queue.remove(exchange)
            exchange.refuse(503, endings.BACKEND_GONE if pool is None else endings.NO_SERVER)
            return True
        free = partial(self._free, own, in_turn)
        if own is not None:
            server = own if free(own) else None
        elif pool is None or not any(map(queue.room, pool.usable)):
            server = None
        elif in_turn and not self._mine():
            self._withheld = True
            return False
        else:
            server = self.choose(exchange, free)
        if server is None:
            self._want(own)
            return False
        queue.remove(exchange)
        exchange.dispatch(server)
        return exchange not in queue      # back in it where another worker took the connection

    def _free(self, own: Server | None, in_turn: bool, server: Server) -> bool:
        """The server has room, for the first of that line."""
        if not self.queue.room(server):
            return False
        if not in_turn or not self.waits or self.queue.due(own, server):
            return True
        self._withheld = True
        return False

    def close(self) -> None:
        """Let all waiting requests in: the backend needs no gate any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for exchange in self.queue:
            self.queue.remove(exchange)
            if self._backend.pool is None:
                exchange.refuse(503, endings.BACKEND_GONE)
            else:
                exchange.dispatch(None)

    def _mine(self) -> bool:
        return self.queue.oldest() == self._lane

    def _hold(self, exchange: Exchange, deadline: float) -> None:
        exchange.move(QUEUED, deadline - self._context.now)
        if not exchange.sent:
            exchange.downstream.pause()
        self.freed()
        self._watch()

    def _want(self, own: Server | None) -> None:
        """Ask for room, since it is this worker's turn: idle connections of other workers may take it up, or those of
        clients here that signed on and have no request."""
        pool = self._backend.pool
        servers = (own,) if own is not None else pool.usable if pool is not None else ()
        lanes = {lane for server in servers if server.max_conns for lane in self.queue.idlers(server)}
        for lane in lanes:
            self._context.wakeups.wake(lane)
        self._give_up_idle(servers)

    def _hand_over(self) -> None:
        """Make room for another worker's request that has waited longest, and wake that worker."""
        queue, pool = self.queue, self._backend.pool
        usable = pool.usable if pool is not None else ()
        lane = queue.oldest()
        if lane not in (-1, self._lane):
            if self._give_up_idle(usable):
                return
            if any(map(queue.room, usable)):
                self._context.wakeups.wake(lane)
        if self.waits:
            for server in pool.servers if pool is not None else ():
                lane = queue.awaited(server)
                if lane not in (-1, self._lane) and not self._give_up_idle((server,)) and queue.room(server):
                    self._context.wakeups.wake(lane)

    def _give_up_idle(self, servers: Iterable[Server]) -> bool:
        """Close an idle connection to one of these servers: the worker is woken once that is done."""
        for server in servers:
            if not server.max_conns:
                continue
            upstream = next(iter(server.idle), None) or pinned.rested(server, self._context.now)
            if upstream is not None:
                upstream.close()
                return True
        return False

    def _pump_soon(self) -> None:
        self._soon = False
        self.pump()

    def _watch(self) -> None:
        """Look again in a while, as long as requests wait here."""
        if self._timer is None and len(self.queue):
            self._timer = self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._context.clock()
        stalled = now - self._context.now >= deadlines.STALL        # the tick that is due puts all deadlines off
        for own in self.queue.lines() if not stalled else ():
            while (exchange := self.queue.first(own)) is not None and exchange.downstream.deadline < now:
                deadlines.expire(exchange)     # the connections' own look may be a second away when they are many
        if self._context.now != self._searched:
            self._searched = self._context.now
            for exchange in [exchange for exchange in self.queue if gone(exchange)]:
                exchange.cut(endings.CLIENT_CLOSED)
        self.pump(self._unused < PATIENCE)
        self._unused = self._unused + 1 if self._withheld else 0


def gone(exchange: Exchange) -> bool:
    """Whether the client of an upload is gone. Uploads are not read while they wait, so nothing else shows it; a client
    that has sent its whole body, and an end behind it, waits for its answer."""
    return not exchange.sent and exchange.downstream.left()
