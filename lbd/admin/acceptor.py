"""Arrivals: the connections of a listening socket, each known from its accept on, before any handshake."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

BACKLOG = 512
BATCH = 64     # accepts in one turn of the loop
PAUSE = 1.0    # seconds without an accept after one that failed for lack of descriptors or memory


class Arrival:
    """A connection that was accepted and has no protocol yet."""

    unread = 0         # bytes of answers
    answered = False   # it has asked nothing yet

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def cut(self) -> None:
        """End it: whatever is shaking hands on it finds it closed."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


class Acceptor:
    """Hands each connection of `sock` to `came`, from `start` to `close`; `failed` gets the error of an accept."""

    def __init__(self, sock: socket.socket, came: Callable[[Arrival], None],
                 failed: Callable[[OSError], None]) -> None:
        self._sock = sock
        self._came = came
        self._failed = failed
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept from now on, in the running loop."""
        self._sock.setblocking(False)
        self._sock.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Accept no more, and close the socket. May be called without a start."""
        if self._pause is not None:
            self._pause.cancel()
        if self._sock.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def drain(self) -> None:
        """Accept what waits, then close."""
        with contextlib.suppress(OSError):   # nothing waits any more, or no descriptor is left for it
            for _ in range(BACKLOG):
                self._take()
        self.close()

    def _resume(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(BATCH):
            try:
                self._take()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._sock)
                self._pause = loop.call_later(PAUSE, self._resume)
                self._failed(error)
                return

    def _take(self) -> None:
        sock, _peer = self._sock.accept()
        sock.setblocking(False)
        self._came(Arrival(sock))
