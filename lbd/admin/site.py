"""The HTTP server of the admin interface: one application on one listening socket, with limits on its connections."""

import asyncio
import socket
import ssl
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from lbd.admin.acceptor import ConnectionAcceptor, PendingConnection
from lbd.admin.answers import problem
from lbd.admin.refusal_log import RefusalLog
from lbd.log.logger import logger
from lbd.net.tasks import Tasks

MAX_CONNECTIONS = 1000       # at the same time
IDLE_TIMEOUT = 15.0          # seconds that a connection may stay open without a complete request head
HANDSHAKE_TIMEOUT = 5.0      # seconds for the TLS handshake
STALL_INTERVAL = 10.0        # seconds between two checks for responses that are not read; the second check cuts them
# These limits times MAX_CONNECTIONS bound the memory that clients without a token can take.
BOUNDS: dict[str, Any] = {"max_line_size": 8190, "max_field_size": 4096, "max_headers": 64, "access_log": None}
DRAIN_TIME = 1.0             # seconds to answer the clients that connected before a close
DRAIN_POLL = 0.01            # seconds between two checks whether all of them were answered
# Seconds that the rest of a refused body is read: closing at once would reset the response on its way.
LINGER = 1.0


class AdminSite:
    """Serves the application from `start` to `close`; with a context, over TLS."""

    def __init__(self, app: web.Application, sock: socket.socket, context: ssl.SSLContext | None = None) -> None:
        app.middlewares.insert(0, self._mark_busy)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._acceptor = ConnectionAcceptor(sock, self._accepted, self._accept_failed)
        self._context = context
        self._tasks = Tasks(_task_failed)
        self._connections: dict[Connection, None] = {}    # the oldest first
        self._busy: set[Connection] = set()               # with a request that is being answered
        self._unread: dict[Connection, int] = {}          # bytes of an answer that wait for the client to read
        self._stall_timer: asyncio.TimerHandle | None = None
        self.refusals = RefusalLog()

    async def start(self) -> None:
        """Accept connections and answer their requests from now on."""
        await self._runner.setup()
        self._acceptor.start()
        self._stall_timer = asyncio.get_running_loop().call_later(STALL_INTERVAL, self._cut_stalled)

    async def drain(self) -> None:
        """Accept the backlog, close the socket, and wait at most `DRAIN_TIME` seconds until clients are answered."""
        self._acceptor.drain()
        loop = asyncio.get_running_loop()
        end = loop.time() + DRAIN_TIME
        while loop.time() < end and (self._busy or not all(connection.answered for connection in self._connections)):
            await asyncio.sleep(DRAIN_POLL)

    async def close(self) -> None:
        """Close the socket and all connections."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        self._acceptor.close()
        await self._tasks.cancel()
        for connection in self._connections:
            if isinstance(connection, PendingConnection):   # its task was cancelled before it began
                connection.sock.close()
        await self._runner.cleanup()

    def add(self, connection: "Connection") -> None:
        """Count the connection; above `MAX_CONNECTIONS`, the oldest one without a request in progress is cut."""
        self._connections[connection] = None
        if len(self._connections) > MAX_CONNECTIONS:
            # There always is one: the new connection has no request yet.
            oldest = next(other for other in self._connections if other not in self._busy)
            self.refusals.log_refusal("admin connections are at their bound; the oldest idle one is cut",
                                      most=MAX_CONNECTIONS)
            self.remove(oldest)
            oldest.cut()

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that is closed or about to be."""
        self._connections.pop(connection, None)

    def _accepted(self, pending: PendingConnection) -> None:
        """Count the connection already before its handshake: it holds a descriptor."""
        self.add(pending)
        self._tasks.start("admin handshake", self._shake_hands(pending))

    def _accept_failed(self, error: OSError) -> None:
        self.refusals.log_refusal("admin connection not accepted", reason=str(error))

    async def _shake_hands(self, pending: PendingConnection) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: AdminConnection(self, pending, self._runner.server, loop), pending.sock, ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if self._context is not None else None)
        except OSError as error:   # the handshake failed or took too long, or the client left
            logger.debug("admin connection has no TLS", reason=str(error))
        finally:
            self.remove(pending)

    @web.middleware
    async def _mark_busy(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Protect a connection with a request in progress from being cut in favour of a new one."""
        connection: Any = request.protocol
        self._busy.add(connection)
        try:
            return await handler(request)
        finally:
            connection.answered = True
            self._busy.discard(connection)

    def _cut_stalled(self) -> None:
        """Cut connections whose client has read nothing of a buffered response since the last check."""
        waiting = {connection: size for connection in self._connections if (size := connection.unread)}
        for connection, size in waiting.items():
            if self._unread.get(connection) == size:
                connection.cut()
        self._unread = waiting
        self._stall_timer = asyncio.get_running_loop().call_later(STALL_INTERVAL, self._cut_stalled)


def _task_failed(name: str, error: BaseException) -> None:
    logger.error("admin connection broken", task=name, exc_info=error)


class AdminConnection(web.RequestHandler):
    """A connection that is ready for requests, after its TLS handshake if there is one."""

    __slots__ = ("_pending", "_site", "answered")

    def __init__(self, site: AdminSite, pending: PendingConnection, server: Any,
                 loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=IDLE_TIMEOUT, lingering_time=LINGER, **BOUNDS)
        self._site = site
        self._pending = pending
        self.answered = False   # at least one request

    @property
    def unread(self) -> int:
        """Bytes of the response that the client has not read yet."""
        return self.transport.get_write_buffer_size() if self.transport is not None else 0

    def cut(self) -> None:
        """Close it at once and drop unread data."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Replace the pending connection in the site's count."""
        super().connection_made(transport)
        self._site.remove(self._pending)
        self._site.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave the site's count."""
        self._site.remove(self)
        super().connection_lost(exc)

    def handle_error(self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None,
                     message: str | None = None) -> web.StreamResponse:
        """Answer a malformed request, which the application never sees, with the same kind of JSON problem."""
        reason = (message or "").partition("\n")[0].strip(":")[:200]
        self._site.refusals.log_refusal("admin request refused", reason=f"no request: {reason}",
                                        who=f"from {request.remote}")
        response = problem("the request is malformed or too large" if status < 500 else "internal error", status)
        response.headers["Server"] = "lbd"
        response.force_close()
        return response


Connection = AdminConnection | PendingConnection
