"""The loop's own transports behind the two calls of the transport: listen and connect, as in `lbd.net.sock`.

Protocols get them as `lbd.net.loop_transport.LoopTransport`. Differences that remain: uvloop accepts one connection a
turn, reads on after a `pause_reading()` inside `connection_made`, and ends an `abort()` in order instead of by a reset.
"""

import asyncio
import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from lbd.net.callbacks import Callbacks
from lbd.net.loop_transport import LoopProtocol
from lbd.net.tasks import Tasks

# A loop calls listen(2) again, with 100 unless told otherwise; the kernel cuts this to its own bound.
BACKLOG = 65535

# From 3.13 a server removes the path of its Unix socket; that is the supervisor's to do.
KEEP_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class LoopAcceptor:
    """A listening socket whose connections the loop accepts."""

    def __init__(self, net: "LoopNet", sock: socket.socket, factory: Callable[[], Callbacks]) -> None:
        self._net = net
        self._sock = sock
        self._factory = factory
        self._paused = True
        self._server: asyncio.Server | None = None
        self.resume()

    def pause(self) -> None:
        """Accept no more; what connects waits in the kernel's backlog."""
        self._paused = True
        if self._server is not None:
            self._server.close()
            self._server = None

    def resume(self) -> None:
        """Accept again; begins with the next turn of the loop."""
        if self._paused and self._sock.fileno() >= 0:
            self._paused = False
            self._net.tasks.start(f"listen on {self._sock.getsockname()!r}", self._serve())

    def close(self) -> None:
        """Accept no more and close the socket."""
        self.pause()
        self._sock.close()

    def drain(self) -> None:
        """Accept what waits, unless paused, then close."""
        paused = self._paused
        self.pause()
        try:
            while not paused:
                self._net.tasks.start("accept what waited", self._adopt(self._sock.accept()[0]))
        except OSError:
            pass   # nothing more waits
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    async def _adopt(self, sock: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._made, sock)

    def _made(self) -> LoopProtocol:
        return LoopProtocol(self._factory())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        if self._paused:
            return
        # A server closes its socket: pausing must not, so it gets a duplicate.
        duplicate = self._sock.dup()
        create: Callable[..., Any] = loop.create_server
        options = {}
        if duplicate.family == socket.AF_UNIX:
            create = loop.create_unix_server
            options = KEEP_PATH
        try:
            server = await create(self._made, sock=duplicate, backlog=BACKLOG, **options)
        except BaseException:
            duplicate.close()
            raise
        if self._paused or self._server is not None:
            server.close()
        else:
            self._server = server


class Dialling:
    """A connection that is being opened; `abort` and `close` also work on what became of it. Its other answers are
    those of one that has sent and received nothing."""

    def __init__(self, net: "LoopNet", sock: socket.socket, address: Any, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._sock = sock
        self._transport: Any = None
        self._error: OSError | None = None
        self._task = net.tasks.start(f"connect to {address!r}", self._connect(address))
        # A task that is cancelled before its first step never gets to say so itself.
        self._task.add_done_callback(self._ended)
        self.idle_since = time.monotonic()
        self.source: bytes | None = None

    def abort(self) -> None:
        """Close at once; connection_lost follows."""
        if self._transport is not None:
            self._transport.abort()
        else:
            self._task.cancel()

    def close(self) -> None:
        """Send the queued bytes, then close."""
        if self._transport is not None:
            self._transport.close()
        else:
            self._task.cancel()

    def is_closing(self) -> bool:
        return bool(self._transport.is_closing()) if self._transport is not None else self._task.cancelling() > 0

    reset = abort

    def is_readable(self) -> bool:
        """Nothing waits, unless it is closed already."""
        return self.is_closing()

    def unsent(self) -> int:
        """Nothing was written."""
        return 0

    def peer_left(self, _wanted: int) -> bool:
        """Nobody is there yet."""
        return False

    async def _connect(self, address: Any) -> None:
        loop = asyncio.get_running_loop()
        create: Callable[..., Any] = (
            loop.create_unix_connection if self._sock.family == socket.AF_UNIX else loop.create_connection
        )
        try:
            await self._reach(loop, address)
            self._transport, _ = await create(lambda: LoopProtocol(self._callbacks), sock=self._sock)
        except OSError as exc:
            self._error = exc

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._transport is None:
            self._sock.close()
            self._callbacks.connection_lost(self._error)

    async def _reach(self, loop: asyncio.AbstractEventLoop, address: Any) -> None:
        number = self._sock.connect_ex(address)
        if number == errno.EINPROGRESS:
            reached = asyncio.Event()
            loop.add_writer(self._sock.fileno(), reached.set)
            try:
                await reached.wait()
            finally:
                loop.remove_writer(self._sock.fileno())
            number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))


class LoopNet:
    """Listens and connects by the running loop's transports, in the way of `lbd.net.sock.Poller`.

    Exceptions of callbacks go where the loop reports its own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._acceptors: list[LoopAcceptor] = []
        self.tasks = Tasks(self._failed)

    def listen(
        self,
        sock: socket.socket,
        factory: Callable[[], Callbacks],
        batch: int = 64,
        exhausted: Callable[[OSError], object] | None = None,
    ) -> LoopAcceptor:
        """Accept from a listening socket, which the acceptor owns. `batch` and `exhausted` have no effect here."""
        sock.setblocking(False)
        acceptor = LoopAcceptor(self, sock, factory)
        self._acceptors.append(acceptor)
        return acceptor

    def connect(self, family: int, address: Any, callbacks: Callbacks,
                options: tuple[tuple[int, int, int], ...] = ()) -> Dialling:
        """Begin to connect; the outcome is `connection_made`, or `connection_lost(OSError)` without it. `options` as in
        `lbd.net.sock`."""
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        if family != socket.AF_UNIX:
            for option in options:
                with contextlib.suppress(OSError):
                    sock.setsockopt(*option)
        return Dialling(self, sock, address, callbacks)

    def tick(self) -> None:
        """Nothing: the loop watches every connection from its first moment."""

    def close(self) -> None:
        """Stop listening. Connections are their protocols' to close."""
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors.clear()

    def _failed(self, name: str, exc: BaseException) -> None:
        self._loop.call_exception_handler({"message": f"Could not {name}", "exception": exc})
