"""The control channel: messages and descriptors over a stream socket pair, without ever blocking the loop."""

import asyncio
import contextlib
import os
import socket
import struct
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from lbd.errors import LbdError
from lbd.process.codec import Codec
from lbd.process.messages import Message

_HEAD = struct.Struct("!IH")   # length of the message, descriptors that come with it
_READ = 256 * 1024             # bytes at once
_FD = array("i").itemsize
SHOWN = 200             # characters of why a message cannot be read

STARVED = 0.2           # seconds until reading is tried again when there was no memory for it
TURN = 0.1              # seconds to which the `pace` of a codec applies

Received = Callable[[Message, list[int]], None]


class _Starved(Exception):
    """There is no memory for what came."""


class Channel:
    """One end, which writes in one codec and reads in another. `received` gets every message with its descriptors,
    which it then owns; `closed` is called once when the other end is gone or breaks the rules (with the reason)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, writes: Codec, reads: Codec,
                 received: Received, closed: Callable[[str], None]) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._received = received
        self._closed = closed
        self._writes = writes
        self._reads = reads
        # Without room for descriptors the kernel closes those that come, and says so (MSG_CTRUNC, unix(7)).
        self._ancillary = socket.CMSG_SPACE(reads.most_fds * _FD) if reads.most_fds else 0
        self._came = b""          # read, and not in `_in` yet
        self._came_with: list[tuple[int, int, bytes]] = []
        self._in = bytearray()
        self._fds: list[int] = []
        self._turn = 0.0          # when the tenth of a second began in which `_heard` messages were read
        self._heard = 0
        self._out: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._queued = 0
        self._open = True
        loop.add_reader(sock.fileno(), self._readable)

    @property
    def open(self) -> bool:
        """Messages can still be sent."""
        return self._open

    @property
    def behind(self) -> bool:
        """The other end has not taken yet what was sent."""
        return bool(self._out)

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a message; the descriptors are duplicated, so the caller keeps its own.

        A channel that is closed swallows it. Raises `LbdError` when it is too long or has too many descriptors.
        """
        if not self._open:
            return
        bounds = self._writes
        body = bounds.encode(message)
        if len(body) > bounds.longest or len(fds) > bounds.most_fds:
            raise LbdError(f"control message {type(message).__name__} is too large: {len(body)} bytes, {len(fds)} "
                           f"descriptors (at most {bounds.longest} and {bounds.most_fds})")
        if self._queued + len(body) > bounds.most_queued:
            self._end("the other end does not read")
            return
        copies = _duplicates(fds)
        self._out.append((memoryview(_HEAD.pack(len(body), len(fds)) + body), copies))
        self._queued += len(body)
        if len(self._out) == 1:
            self._writable()

    def close(self) -> None:
        """Close this end; what is queued is lost and `closed` is not called."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        for _, fds in self._out:
            _close_all(fds)
        with contextlib.suppress(MemoryError):
            self._unpack()
        _close_all(self._fds)
        self._out.clear()
        self._fds = []

    def _end(self, reason: str) -> None:
        self.close()
        self._closed(reason)

    def _writable(self) -> None:
        try:
            while self._out:
                data, fds = self._out[0]
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
                sent = self._sock.sendmsg([data], ancillary)
                _close_all(fds)
                self._queued -= sent
                if sent < len(data):
                    self._out[0] = (data[sent:], ())
                else:
                    self._out.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._sock.fileno(), self._writable)
            return
        except OSError as error:
            # Told from the loop: a caller of `send` must not find itself inside `closed`.
            self._loop.call_soon(self._end_if_open, f"cannot write: {error.strerror}")
            return
        self._queued = 0
        self._loop.remove_writer(self._sock.fileno())

    def _end_if_open(self, reason: str) -> None:
        if self._open:
            self._end(reason)

    def _readable(self) -> None:
        try:
            if self._digest() and self._read():   # first what there was no memory or no turn for
                self._digest()
        except _Starved:
            # Nothing is lost, and others may give memory back meanwhile; at once would be the next turn, and the next.
            self._rest(STARVED)

    def _rest(self, seconds: float) -> None:
        """Read nothing for so long."""
        self._loop.remove_reader(self._sock.fileno())
        self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        if self._open:
            self._loop.add_reader(self._sock.fileno(), self._readable)
            self._readable()

    def _read(self) -> bool:
        """Take what came; False when there is nothing to digest."""
        try:
            # As it came: taking it apart needs memory, without which it must not be lost.
            self._came, self._came_with, flags, _ = self._sock.recvmsg(_READ, self._ancillary, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return False
        except MemoryError:
            raise _Starved from None
        except OSError as error:
            self._end(f"cannot read: {error.strerror}")
            return False
        if flags & socket.MSG_CTRUNC:
            self._end("descriptors were lost: the limit of open files is reached" if self._reads.most_fds else
                      "descriptors came, which this end takes none of")
        elif not self._came:
            self._end("closed by the other end")
        return self._open

    def _digest(self) -> bool:
        """Make messages of what came; False when it is not the turn to read on. Raises `_Starved` without memory for
        it, and then it is still there."""
        try:
            self._unpack()
        except MemoryError:
            raise _Starved from None
        while self._open and len(self._in) >= _HEAD.size:
            length, count = _HEAD.unpack_from(self._in)
            if length > self._reads.longest or count > self._reads.most_fds:
                self._end("a message beyond all bounds")
                break
            end = _HEAD.size + length
            if len(self._in) < end:
                break
            if not self._in_turn():
                return False
            try:
                message = self._reads.decode(bytes(memoryview(self._in)[_HEAD.size:end]))
                fds = self._fds[:count]
                del self._fds[:count]
            except MemoryError:
                raise _Starved from None
            except Exception as error:  # decoding may run constructors: anything may come
                self._end(f"a message that cannot be read: {error!r:.{SHOWN}}")
                break
            with contextlib.suppress(MemoryError):   # done even if what it frees cannot be given back
                del self._in[:end]
            if len(fds) < count:
                _close_all(fds)
                self._end("a message without its descriptors")
                break
            self._received(message, fds)
        return self._open

    def _unpack(self) -> None:
        """Put what came to what is there; each step is done or not, should there be no memory for it."""
        while self._came_with:
            self._fds = [*self._fds, *_descriptors(*self._came_with[0])]
            del self._came_with[0]
        self._in += self._came
        self._came = b""

    def _in_turn(self) -> bool:
        """Whether one more message may be read now; if not, reading rests: who sends without end has its share only."""
        if not self._reads.pace:
            return True
        now = self._loop.time()
        if now - self._turn >= TURN:
            self._turn, self._heard = now, 0
        if self._heard >= self._reads.pace:
            self._rest(TURN)
            return False
        self._heard += 1
        return True


def _descriptors(level: int, kind: int, payload: bytes) -> Sequence[int]:
    """Those in one control message of recvmsg(2)."""
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return ()
    return array("i", payload[:len(payload) - len(payload) % _FD])


def _duplicates(fds: Sequence[int]) -> list[int]:
    """Our own, all or none: the caller may close its descriptors before the kernel has taken them."""
    copies: list[int] = []
    try:
        copies.extend(map(os.dup, fds))
    except BaseException:
        _close_all(copies)
        raise
    return copies


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
