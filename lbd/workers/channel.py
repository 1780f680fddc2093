"""The control channel: messages and descriptors over a stream socket pair, without ever blocking the loop."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from lbd.workers.codec import Codec
from lbd.workers.message_reader import MessageReader, OnMessage
from lbd.workers.message_writer import MessageWriter
from lbd.workers.messages import Message


class Channel:
    """An end of the channel, which writes in one codec and reads in another. `on_message` gets every message with its
    descriptors, which it then owns; `on_closed` is called once, with the reason, when the other end is gone or breaks
    the rules."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, writes: Codec, reads: Codec,
                 on_message: OnMessage, on_closed: Callable[[str], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_closed = on_closed
        self._open = True
        self._writer = MessageWriter(loop, sock, writes, self._end)
        self._reader = MessageReader(loop, sock, reads, on_message, self._end)

    @property
    def open(self) -> bool:
        """Messages can still be sent."""
        return self._open

    @property
    def behind(self) -> bool:
        """The other end has not taken yet what was sent."""
        return self._writer.behind

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a message; the descriptors are duplicated, so the caller keeps its own.

        A channel that is closed swallows it. Raises `LbdError` when it is too long or has too many descriptors.
        """
        if self._open:
            self._writer.send(message, fds)

    def close(self) -> None:
        """Close this end; queued messages are lost and `on_closed` is not called."""
        if self._open:
            self._open = False
            self._writer.close()
            self._reader.close()
            self._sock.close()

    def _end(self, reason: str) -> None:
        self.close()
        self._on_closed(reason)
