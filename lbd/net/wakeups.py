"""Wake-ups between workers: one eventfd (eventfd(2)) per lane of the scoreboard."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence


class Wakeups:
    """The eventfds as one worker sees them; `lane` is its own. The descriptors belong to the caller."""

    def __init__(self, fds: Sequence[int], lane: int) -> None:
        self._fds = tuple(fds)
        self._lane = lane

    def wake(self, lane: int) -> None:
        """Wake the worker of that lane; nothing happens where there is none, or it is woken already."""
        if 0 <= lane < len(self._fds):
            with contextlib.suppress(OSError):
                os.eventfd_write(self._fds[lane], 1)

    def listen(self, loop: asyncio.AbstractEventLoop, woken: Callable[[], None]) -> None:
        """Call `woken` after other workers called `wake`, once for any number of calls."""
        if self._lane < len(self._fds):
            loop.add_reader(self._fds[self._lane], self._readable, woken)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen no more."""
        if self._lane < len(self._fds):
            loop.remove_reader(self._fds[self._lane])

    def _readable(self, woken: Callable[[], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fds[self._lane])
        woken()


def open_wakeups(lanes: int) -> tuple[int, ...]:
    """New eventfds for so many lanes, which the caller owns; raises `OSError` when there are too many."""
    fds: list[int] = []
    try:
        fds.extend(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(lanes))
    except OSError:
        for fd in fds:
            os.close(fd)
        raise
    return tuple(fds)
