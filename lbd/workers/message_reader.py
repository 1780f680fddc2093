"""The reading half of a channel: messages with their descriptors, at the pace that the codec allows."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from lbd.workers import descriptors
from lbd.workers.codec import HEAD, Codec
from lbd.workers.messages import Message

SHOWN = 200             # characters of why a message cannot be read
STARVED = 0.2           # seconds until reading is tried again when there was no memory for it
TURN = 0.1              # seconds to which the `pace` of a codec applies
_READ = 256 * 1024      # bytes at once

OnMessage = Callable[[Message, list[int]], None]


class _Starved(Exception):
    """The error of reading without memory for the bytes that came."""


class MessageReader:
    """Reads from a non-blocking stream socket, which stays its caller's. `on_message` gets every message with its
    descriptors, which it then owns; `on_end` the reason why nothing comes any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, codec: Codec, on_message: OnMessage,
                 on_end: Callable[[str], None]) -> None:
        self._loop = loop
        self._sock = sock
        self._codec = codec
        self._on_message = on_message
        self._on_end = on_end
        # Without room for descriptors the kernel closes those that come, and says so (MSG_CTRUNC, unix(7)).
        self._ancillary = socket.CMSG_SPACE(codec.most_fds * descriptors.SIZE) if codec.most_fds else 0
        self._came = b""          # read, and not in `_in` yet
        self._came_with: list[tuple[int, int, bytes]] = []
        self._in = bytearray()
        self._fds: list[int] = []
        self._turn = 0.0          # when the tenth of a second began in which `_count` messages were read
        self._count = 0
        self._open = True
        loop.add_reader(sock.fileno(), self._readable)

    def close(self) -> None:
        """Read no more; descriptors whose messages were not read are closed."""
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        with contextlib.suppress(MemoryError):
            self._unpack()
        descriptors.close_all(self._fds)
        self._fds = []

    def _readable(self) -> None:
        try:
            if self._decode() and self._read():   # first the bytes for which there was no memory or no turn
                self._decode()
        except _Starved:
            # Nothing is lost, and others may give memory back meanwhile; at once would be the next turn, and the next.
            self._pause(STARVED)

    def _pause(self, seconds: float) -> None:
        """Read nothing for so long."""
        self._loop.remove_reader(self._sock.fileno())
        self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._sock.fileno(), self._readable)
            self._readable()

    def _read(self) -> bool:
        """Take the next bytes from the socket; False when there is nothing to decode."""
        try:
            # As it came: taking it apart needs memory, without which it must not be lost.
            self._came, self._came_with, flags, _ = self._sock.recvmsg(_READ, self._ancillary, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return False
        except MemoryError:
            raise _Starved from None
        except OSError as error:
            self._on_end(f"cannot read: {error.strerror}")
            return False
        if flags & socket.MSG_CTRUNC:
            self._on_end("descriptors were lost: the limit of open files is reached" if self._codec.most_fds else
                         "descriptors came, which this end takes none of")
        elif not self._came:
            self._on_end("closed by the other end")
        return self._open

    def _decode(self) -> bool:
        """Make messages of the bytes that came; False when it is not the turn to read on. Raises `_Starved` without
        memory for it, and then the bytes are still there."""
        try:
            self._unpack()
        except MemoryError:
            raise _Starved from None
        while self._open and len(self._in) >= HEAD.size:
            length, count = HEAD.unpack_from(self._in)
            if length > self._codec.longest or count > self._codec.most_fds:
                self._on_end("a message beyond all bounds")
                break
            end = HEAD.size + length
            if len(self._in) < end:
                break
            if not self._in_turn():
                return False
            try:
                message = self._codec.decode(bytes(memoryview(self._in)[HEAD.size:end]))
                fds = self._fds[:count]
                del self._fds[:count]
            except MemoryError:
                raise _Starved from None
            except Exception as error:  # decoding may run constructors: anything may come
                self._on_end(f"a message that cannot be read: {error!r:.{SHOWN}}")
                break
            with contextlib.suppress(MemoryError):   # done even if the freed memory cannot be given back
                del self._in[:end]
            if len(fds) < count:
                descriptors.close_all(fds)
                self._on_end("a message without its descriptors")
                break
            self._on_message(message, fds)
        return self._open

    def _unpack(self) -> None:
        """Append the bytes and descriptors that came; each step is done or not, should there be no memory for it."""
        while self._came_with:
            self._fds = [*self._fds, *descriptors.of_control_message(*self._came_with[0])]
            del self._came_with[0]
        self._in += self._came
        self._came = b""

    def _in_turn(self) -> bool:
        """Whether one more message may be read now; if not, reading pauses: a peer that sends without end has its share
        only."""
        if not self._codec.pace:
            return True
        now = self._loop.time()
        if now - self._turn >= TURN:
            self._turn, self._count = now, 0
        if self._count >= self._codec.pace:
            self._pause(TURN)
            return False
        self._count += 1
        return True
