"""A site: an application on a listening socket, and the bounds of what its visitors can hold there."""

import asyncio
import socket
import ssl
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from lbd.admin.acceptor import Acceptor, Arrival
from lbd.admin.answers import problem
from lbd.admin.refusal_log import Refusals
from lbd.log.logger import logger
from lbd.net.tasks import Tasks

MOST = 1000          # connections at once
IDLE = 15.0          # seconds that a connection may stay without a whole head of a request
HANDSHAKE = 5.0      # seconds for that of TLS
LOOK = 10.0          # seconds between two looks at answers that nobody reads: at the second one they are cut
# A head as large as these allow, of every connection, is what somebody without a token can make the process hold.
BOUNDS: dict[str, Any] = {"max_line_size": 8190, "max_field_size": 4096, "max_headers": 64, "access_log": None}
LEAVING = 1.0        # seconds for whoever connected before a close to be answered
SETTLING = 0.01      # seconds between two looks whether they all are
# The rest of a body that was refused is read for so long: closing at once would reset the answer on its way.
LINGER = 1.0


class AdminSite:
    """Serves the application from `start` to `close`; with a context, over TLS."""

    def __init__(self, app: web.Application, sock: socket.socket, context: ssl.SSLContext | None = None) -> None:
        app.middlewares.insert(0, self._keep)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._acceptor = Acceptor(sock, self._accepted, self._not_accepted)
        self._context = context
        self._tasks = Tasks(_broke)
        self._present: dict[Visitor | Arrival, None] = {}   # the oldest first
        self._busy: set[Visitor | Arrival] = set()          # those with a request that is being answered
        self._unread: dict[Visitor | Arrival, int] = {}     # bytes of an answer that wait for the visitor
        self._look: asyncio.TimerHandle | None = None
        self.refusals = Refusals()

    async def start(self) -> None:
        """Answer from now on."""
        await self._runner.setup()
        self._acceptor.start()
        self._look = asyncio.get_running_loop().call_later(LOOK, self._cut_unread)

    async def drain(self) -> None:
        """Accept what waits, close the socket, and wait at most `LEAVING` seconds until everybody had an answer."""
        self._acceptor.drain()
        loop = asyncio.get_running_loop()
        end = loop.time() + LEAVING
        while loop.time() < end and (self._busy or not all(one.answered for one in self._present)):
            await asyncio.sleep(SETTLING)

    async def close(self) -> None:
        """Stop answering, and close the socket."""
        if self._look is not None:
            self._look.cancel()
        self._acceptor.close()
        await self._tasks.cancel()
        for one in self._present:
            if isinstance(one, Arrival):   # its task was cancelled before it began
                one.sock.close()
        await self._runner.cleanup()

    def came(self, visitor: "Visitor | Arrival") -> None:
        """Where there are too many, the oldest that is not being answered goes."""
        self._present[visitor] = None
        if len(self._present) > MOST:
            # There is one: at least the newcomer has asked nothing yet.
            oldest = next(one for one in self._present if one not in self._busy)
            self.refusals.say("admin connections are at their bound; the oldest idle one is cut", most=MOST)
            self.left(oldest)
            oldest.cut()

    def left(self, visitor: "Visitor | Arrival") -> None:
        """It is gone, or about to be."""
        self._present.pop(visitor, None)

    def _accepted(self, arrival: Arrival) -> None:
        """A connection counts from here: one that never shakes hands holds a descriptor like any other."""
        self.came(arrival)
        self._tasks.start("admin handshake", self._shake_hands(arrival))

    def _not_accepted(self, error: OSError) -> None:
        self.refusals.say("admin connection not accepted", reason=str(error))

    async def _shake_hands(self, arrival: Arrival) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: Visitor(self, arrival, self._runner.server, loop), arrival.sock, ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE if self._context is not None else None)
        except OSError as error:   # its handshake failed, took too long, or it left
            logger.debug("admin connection has no TLS", reason=str(error))
        finally:
            self.left(arrival)

    @web.middleware
    async def _keep(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nobody who is being answered is cut for a newcomer."""
        visitor: Any = request.protocol
        self._busy.add(visitor)
        try:
            return await handler(request)
        finally:
            visitor.answered = True
            self._busy.discard(visitor)

    def _cut_unread(self) -> None:
        """Cut whoever took nothing of an answer since the last look: it is held in memory until then."""
        waiting = {visitor: size for visitor in self._present if (size := visitor.unread)}
        for visitor, size in waiting.items():
            if self._unread.get(visitor) == size:
                visitor.cut()
        self._unread = waiting
        self._look = asyncio.get_running_loop().call_later(LOOK, self._cut_unread)


def _broke(name: str, error: BaseException) -> None:
    logger.error("admin connection broken", task=name, exc_info=error)


class Visitor(web.RequestHandler):
    """One connection that requests can come on."""

    __slots__ = ("_arrival", "_site", "answered")

    def __init__(self, site: AdminSite, arrival: Arrival, server: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=IDLE, lingering_time=LINGER, **BOUNDS)
        self._site = site
        self._arrival = arrival
        self.answered = False   # to a request, once

    @property
    def unread(self) -> int:
        """Bytes that wait for the other side to read."""
        return self.transport.get_write_buffer_size() if self.transport is not None else 0

    def cut(self) -> None:
        """Close it now, whatever waits."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        super().connection_made(transport)
        self._site.left(self._arrival)
        self._site.came(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """And is gone."""
        self._site.left(self)
        super().connection_lost(exc)

    def handle_error(self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None,
                     message: str | None = None) -> web.StreamResponse:
        """What is no request that the application could see gets an answer of the same shape."""
        reason = (message or "").partition("\n")[0].strip(":")[:200]
        self._site.refusals.say("admin request refused", reason=f"no request: {reason}", who=f"from {request.remote}")
        response = problem("the request is malformed or too large" if status < 500 else "internal error", status)
        response.headers["Server"] = "lbd"
        response.force_close()
        return response
