"""The access log as the supervisor writes it: a pipe from each worker, and one thread that takes the lines away."""

import contextlib
import fcntl
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from lbd.access_log.sinks import Sink
from lbd.log.logger import logger

PIPE = 2**20           # bytes that a worker can be ahead, where the kernel allows so much
READ = 2**20
UNFINISHED = 2**20     # bytes of a batch that is not there as a whole yet; no worker writes so many without a newline
COMPLAIN = 60.0        # seconds between two complaints about the same sink


class AccessLogCollector:
    """Moves lines from the pipes to a sink. A sink that blocks holds up its thread alone: then the pipes fill, and
    workers drop lines and count them.

    `lost` counts lines that the sink refused. `name` is the name of the log in the daemon's own log.
    """

    def __init__(self, name: str = "access log") -> None:
        self._name = name
        self.lost = 0
        self._sink: Sink | None = None
        self._pipes: dict[int, bytes] = {}          # reading ends, with the beginning of a line
        self._commands: deque[Callable[[], None]] = deque()
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._complained = float("-inf")
        self._buffer = memoryview(bytearray(READ))       # of its own: new memory for each read costs its page faults
        self._ending = self._leaving = False
        self._thread: threading.Thread | None = None

    def pipe(self) -> int:
        """The writing end of a new pipe, which does not block and is the caller's."""
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with contextlib.suppress(OSError):          # a user may have only so many of that size
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
        self._submit(lambda: self._add(reader))
        return writer

    def adopt(self, reader: int, begun: bytes) -> None:
        """Read this pipe too; `begun` is the beginning of its next line."""
        self._submit(lambda: self._add(reader, begun))

    def leave(self, seconds: float) -> list[tuple[int, bytes]]:
        """Stop reading (within so many seconds, unless the sink blocks), for `adopt` in another version: the reading
        ends, each with the beginning of a line that came already. `stay` undoes it."""
        self._leaving = True
        if self._thread is not None:
            os.eventfd_write(self._wake, 1)
            self._thread.join(seconds)
        return list(self._pipes.items())

    def stay(self) -> None:
        """Read on."""
        self._leaving = False
        self._thread = None
        self._submit(lambda: None)

    def use(self, sink: Sink | None) -> None:
        """Write there from now on; None: nowhere. The former one is closed."""
        self._submit(lambda: self._use(sink))

    def reopen(self) -> None:
        """The file was moved away: write to a new one."""
        self._submit(self._reopen)

    def close(self, seconds: float) -> None:
        """Write the last lines of the workers, for so many seconds at most, and end."""
        self._ending = True
        if self._thread is not None and self._thread.is_alive():
            os.eventfd_write(self._wake, 1)
            self._thread.join(seconds)

    def _submit(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while not self._leaving and (not self._ending or self._pipes):
            ready = [fd for fd, _ in self._epoll.poll()]
            if self._wake in ready:
                ready.remove(self._wake)
                os.eventfd_read(self._wake)
            while self._commands:       # first: lines that came after a command go where it says
                self._commands.popleft()()
            for fd in ready:
                self._read(fd)
        if not self._leaving:
            self._use(None)

    def _add(self, reader: int, begun: bytes = b"") -> None:
        self._pipes[reader] = begun
        self._epoll.register(reader, select.EPOLLIN)

    def _use(self, sink: Sink | None) -> None:
        if self._sink is not None:
            self._sink.close()
        self._sink = sink

    def _reopen(self) -> None:
        if self._sink is None:
            return
        try:
            self._sink.reopen()
        except OSError as error:
            logger.error(f"{self._name} not opened anew; the former file is written on", reason=error.strerror)
        else:
            logger.info(f"{self._name} opened anew")

    def _read(self, fd: int) -> None:
        try:
            size = os.readv(fd, (self._buffer,))
        except BlockingIOError:
            return
        data = self._pipes[fd] + self._buffer[:size].tobytes()
        lines, rest = data, b""
        if not data.endswith(b"\n"):        # a batch that is not there as a whole
            end = data.rfind(b"\n") + 1
            lines, rest = data[:end], data[end:]
        if size and len(rest) <= UNFINISHED:
            self._pipes[fd] = rest
        else:
            del self._pipes[fd]       # a worker's end, in the middle of a line if it was killed
            self._epoll.unregister(fd)
            os.close(fd)
        if lines and self._sink is not None:
            self._write(self._sink, lines)

    def _write(self, sink: Sink, data: bytes) -> None:
        try:
            sink.write(data)
        except OSError as error:
            self.lost += getattr(error, "lines", data.count(b"\n"))
            if time.monotonic() - self._complained > COMPLAIN:
                self._complained = time.monotonic()
                logger.error(f"{self._name} cannot be written, lines are lost", reason=error.strerror or str(error),
                             lines=self.lost)
