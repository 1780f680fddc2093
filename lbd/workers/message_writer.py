"""The writing half of a channel: messages and descriptors, queued until the kernel takes them."""

import asyncio
import socket
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from lbd.errors import LbdError
from lbd.workers import descriptors
from lbd.workers.codec import HEAD, Codec
from lbd.workers.messages import Message


class MessageWriter:
    """Writes to a non-blocking stream socket, which stays its caller's. `on_end` gets the reason why nothing can be
    written any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, codec: Codec,
                 on_end: Callable[[str], None]) -> None:
        self._loop = loop
        self._sock = sock
        self._codec = codec
        self._on_end = on_end
        self._queue: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._queued = 0        # bytes
        self._open = True

    @property
    def behind(self) -> bool:
        """The other end has not taken yet what was sent."""
        return bool(self._queue)

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a message with duplicates of the descriptors. Raises `LbdError` when it is too long or has too many."""
        codec = self._codec
        body = codec.encode(message)
        if len(body) > codec.longest or len(fds) > codec.most_fds:
            raise LbdError(f"control message {type(message).__name__} is too large: {len(body)} bytes, {len(fds)} "
                           f"descriptors (at most {codec.longest} and {codec.most_fds})")
        if self._queued + len(body) > codec.most_queued:
            self._on_end("the other end does not read")
            return
        copies = descriptors.duplicates(fds)
        self._queue.append((memoryview(HEAD.pack(len(body), len(fds)) + body), copies))
        self._queued += len(body)
        if len(self._queue) == 1:
            self._write()

    def close(self) -> None:
        """Write no more; queued messages are lost."""
        self._open = False
        self._loop.remove_writer(self._sock.fileno())
        for _, fds in self._queue:
            descriptors.close_all(fds)
        self._queue.clear()

    def _write(self) -> None:
        try:
            while self._queue:
                data, fds = self._queue[0]
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
                sent = self._sock.sendmsg([data], ancillary)
                descriptors.close_all(fds)
                self._queued -= sent
                if sent < len(data):
                    self._queue[0] = (data[sent:], ())
                else:
                    self._queue.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._sock.fileno(), self._write)
            return
        except OSError as error:
            # Told from the loop: a caller of `send` must not find itself inside `on_end`.
            self._loop.call_soon(self._end_if_open, f"cannot write: {error.strerror}")
            return
        self._queued = 0
        self._loop.remove_writer(self._sock.fileno())

    def _end_if_open(self, reason: str) -> None:
        if self._open:
            self._on_end(reason)
