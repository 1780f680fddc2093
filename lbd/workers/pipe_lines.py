"""A pipe of log lines from a worker: read without blocking, handed on whole line by whole line."""

import asyncio
import os
from collections.abc import Callable

LONGEST = 64 * 1024   # bytes; a longer line is cut, so that a worker cannot make the supervisor grow
_ROUNDS = 16          # reads in a row, so that a chatty worker does not hold up the supervisor


class PipeLines:
    """The reading end of one pipe, which it owns. `on_line` gets each line without its newline."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, on_line: Callable[[str], None]) -> None:
        os.set_blocking(fd, False)
        self._loop = loop
        self._fd = fd
        self._on_line = on_line
        self._rest = b""
        loop.add_reader(fd, self.read)

    @property
    def fd(self) -> int:
        """The pipe's descriptor; -1 once it is closed."""
        return self._fd

    def read(self) -> None:
        """Read the bytes that are there; closes the pipe at its end."""
        for _ in range(_ROUNDS):
            if self._fd < 0:
                return
            try:
                data = os.read(self._fd, LONGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                self._emit(line)
            if len(self._rest) > LONGEST:
                self._emit(self._rest)
                self._rest = b""

    def close(self) -> None:
        """Close the pipe; an unfinished line is handed on as it is."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = -1
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        self._on_line(line.decode(errors="backslashreplace"))
