"""The acceptor of a listening socket, which hands on each connection before its TLS handshake."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

BACKLOG = 512
BATCH = 64     # accepts in one iteration of the event loop
PAUSE = 1.0    # seconds without an accept after one that failed for lack of descriptors or memory


class PendingConnection:
    """An accepted connection that has no protocol yet: its TLS handshake is still to come."""

    unread = 0         # bytes of responses
    answered = False   # no request yet

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def cut(self) -> None:
        """Shut the socket down, which fails a handshake in progress."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


class ConnectionAcceptor:
    """Hands each connection of `sock` to `accepted`, from `start` to `close`; `failed` gets the error of an accept."""

    def __init__(self, sock: socket.socket, accepted: Callable[[PendingConnection], None],
                 failed: Callable[[OSError], None]) -> None:
        self._sock = sock
        self._accepted = accepted
        self._failed = failed
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept connections from now on, in the running loop."""
        self._sock.setblocking(False)
        self._sock.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Stop accepting and close the socket; allowed without a `start`."""
        if self._pause is not None:
            self._pause.cancel()
        if self._sock.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def drain(self) -> None:
        """Accept the backlog, then close."""
        with contextlib.suppress(OSError):   # the backlog is empty, or the process is out of descriptors
            for _ in range(BACKLOG):
                self._accept_one()
        self.close()

    def _resume(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._sock, self._accept_batch)

    def _accept_batch(self) -> None:
        for _ in range(BATCH):
            try:
                self._accept_one()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._sock)
                self._pause = loop.call_later(PAUSE, self._resume)
                self._failed(error)
                return

    def _accept_one(self) -> None:
        sock, _peer = self._sock.accept()
        sock.setblocking(False)
        self._accepted(PendingConnection(sock))
