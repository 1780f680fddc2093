"""The output of the daemon's own log: a queue with a bound and a thread that writes, so that no reader holds lbd up."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable

from lbd.log.logger import logger
from lbd.log.stream import Stream, Unwritten

MOST = 2**20      # bytes of lines that wait for their reader
BATCH = 2**16     # bytes that are written at once, if there are so many


def _dropped(lines: int) -> None:
    logger.warning("lines of this log were dropped: they could not be written", lines=lines)


class LogOutput:
    """Writes lines to `fd`. `dropped` counts those that did not fit into the queue or could not be written;
    `flows(lines)` is called in the thread once lines are written again after some were dropped."""

    def __init__(self, fd: int = 2, most: int = MOST, flows: Callable[[int], None] = _dropped) -> None:
        self.dropped = 0
        self._most = most
        self._flows = flows
        self._stream = Stream(fd, None)
        self._queue: deque[bytes] = deque()
        self._waiting = 0          # bytes, those that are being written included
        self._untold = 0           # dropped lines of which no line tells yet
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, line: str) -> None:
        """Queue one whole line; never blocks, and may be called in any thread."""
        data = line.encode(errors="backslashreplace")
        with self._changed:
            if self._waiting + len(data) > self._most or not self._started():
                self._drop(1)
                return
            self._queue.append(data)
            self._waiting += len(data)
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until everything is written, for so long at most; false when it is not."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        self._untold += lines

    def _started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            with contextlib.suppress(RuntimeError):   # no more threads may be started now
                thread.start()
                self._thread = thread
        return self._thread is not None

    def _run(self) -> None:
        while True:
            data = self._next()
            lost = 0
            try:
                self._stream.write(data)
            except Unwritten as error:
                lost = error.lines
            with self._changed:
                self._waiting -= len(data)
                self._drop(lost)
                tell = self._untold if not lost and not self._queue else 0
                self._untold -= tell
            if tell:
                self._flows(tell)      # before a flush is told that nothing waits
            with self._changed:
                self._changed.notify_all()

    def _next(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._queue)
            lines = [self._queue.popleft()]
            size = len(lines[0])
            while self._queue and size + len(self._queue[0]) <= BATCH:
                lines.append(self._queue.popleft())
                size += len(lines[-1])
        return b"".join(lines)
