"""The control channel: messages and descriptors over a stream socket pair, without ever blocking the loop."""

import asyncio
import os
import pickle
import socket
import struct
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from lbd.control.messages import Message
from lbd.errors import LbdError

LONGEST = 256 * 2**20   # bytes of one message: a generation of 16 384 servers needs about 4 MiB
MOST_QUEUED = 2 * LONGEST
MOST_FDS = 253          # of the kernel, for one sendmsg (SCM_MAX_FD)
_HEAD = struct.Struct("!IH")   # length of the pickle, descriptors that came with it
_READ = 256 * 1024
_ANCILLARY = socket.CMSG_SPACE(MOST_FDS * 4)

STARVED = 0.2           # seconds until reading is tried again when there was no memory for it

Received = Callable[[Message, list[int]], None]


class _Starved(Exception):
    """There is no memory for what came."""


class Channel:
    """One end. `received` gets every message with its descriptors, which it then owns; `closed` is called once when
    the other end is gone or talks nonsense (with the reason). Both ends are lbd's own, so pickles may be trusted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, received: Received,
                 closed: Callable[[str], None]) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._received = received
        self._closed = closed
        self._came = b""          # read, and not in `_in` yet
        self._in = bytearray()
        self._fds: deque[int] = deque()
        self._out: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._queued = 0
        self._open = True
        loop.add_reader(sock.fileno(), self._readable)

    @property
    def open(self) -> bool:
        """Messages can still be sent."""
        return self._open

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a message; the descriptors are duplicated, so the caller keeps its own.

        A channel that is closed swallows it. Raises `LbdError` when it is longer than `LONGEST` or has too many
        descriptors.
        """
        if not self._open:
            return
        body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        if len(body) > LONGEST or len(fds) > MOST_FDS:
            raise LbdError(f"control message {type(message).__name__} is too large: {len(body)} bytes, {len(fds)} "
                           f"descriptors (at most {LONGEST} and {MOST_FDS})")
        if self._queued + len(body) > MOST_QUEUED:
            self._end("the other end does not read")
            return
        # Our own duplicates: the caller may close its descriptors before the kernel has taken them.
        copies = [os.dup(fd) for fd in fds]
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
        _close_all(self._fds)
        self._out.clear()
        self._fds.clear()

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
            self._digest()   # what came when there was no memory for it
            if self._open:
                self._read()
        except _Starved:
            # Nothing is lost, and others may give memory back meanwhile; at once would be the next turn, and the next.
            self._loop.remove_reader(self._sock.fileno())
            self._loop.call_later(STARVED, self._again)

    def _again(self) -> None:
        if self._open:
            self._loop.add_reader(self._sock.fileno(), self._readable)
            self._readable()

    def _read(self) -> None:
        try:
            data, ancillary, flags, _ = self._sock.recvmsg(_READ, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        except MemoryError:
            raise _Starved from None
        except OSError as error:
            self._end(f"cannot read: {error.strerror}")
            return
        self._came = data
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array("i")
                received.frombytes(payload[:len(payload) - len(payload) % received.itemsize])
                self._fds.extend(received)
        if flags & socket.MSG_CTRUNC:
            self._end("descriptors were lost: the limit of open files is reached")
        elif not data:
            self._end("closed by the other end")
        else:
            self._digest()

    def _digest(self) -> None:
        """Make messages of what came; raises `_Starved` without memory for it, and then it is still there."""
        try:
            self._in += self._came
        except MemoryError:
            raise _Starved from None
        self._came = b""
        while self._open and len(self._in) >= _HEAD.size:
            length, count = _HEAD.unpack_from(self._in)
            if length > LONGEST or count > MOST_FDS:
                self._end("a message beyond all bounds")
                return
            end = _HEAD.size + length
            if len(self._in) < end:
                return
            try:
                message = pickle.loads(bytes(memoryview(self._in)[_HEAD.size:end]))
            except MemoryError:
                raise _Starved from None
            except Exception as error:  # unpickling runs constructors: anything may come
                self._end(f"a message that cannot be read: {error!r}")
                return
            del self._in[:end]
            if not isinstance(message, Message) or len(self._fds) < count:
                self._end("a message that is none")
                return
            self._received(message, [self._fds.popleft() for _ in range(count)])


def _close_all(fds: Sequence[int] | deque[int]) -> None:
    for fd in fds:
        os.close(fd)
