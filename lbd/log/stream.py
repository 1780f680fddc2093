"""A stream: whole lines to a descriptor that may be slow, full or gone, and that other processes may share."""

import errno
import os
import select
import stat

CHUNK = select.PIPE_BUF   # bytes that a pipe takes without blocking when poll(2) says that it takes any (pipe(7))
NEWLINE = 0x0A


class Unwritten(OSError):
    """Lines were lost, `lines` of them."""

    def __init__(self, number: int, text: str, lines: int) -> None:
        super().__init__(number, text)
        self.lines = lines


class Stream:
    """Writes to `fd`, whose flags stay as they are: other processes share them. A pipe, terminal or socket
    that takes nothing for `patience` seconds (None: for ever) loses what is left; a regular file is written at once."""

    def __init__(self, fd: int, patience: float | None) -> None:
        self.fd = fd
        self._patience = patience
        self._torn = False        # the last line that was written has no end
        try:
            self._waits = not stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError:
            self._waits = False   # writing says what is wrong with it

    def write(self, lines: bytes) -> None:
        """Write whole lines; raises `Unwritten` for those that were not written as a whole. A line that was cut off
        is ended before the next one."""
        data = memoryview(b"\n" + lines if self._torn else lines)
        done = 0
        try:
            while done < len(data):
                if self._waits:
                    self._wait()
                try:
                    done += os.write(self.fd, data[done:done + CHUNK] if self._waits else data[done:])
                except BlockingIOError:
                    self._waits = True
        except OSError as error:
            lost = lines[max(done - self._torn, 0):].count(b"\n")
            raise Unwritten(error.errno or 0, error.strerror or str(error), lost) from None
        finally:
            if done:
                self._torn = data[done - 1] != NEWLINE

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        if not poll.poll(None if self._patience is None else self._patience * 1000):
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads there")
