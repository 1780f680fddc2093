"""Bells: one eventfd (eventfd(2)) per lane of the scoreboard, by which workers wake each other at once."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence


class Bells:
    """The bells as one worker sees them; `lane` is its own. The descriptors stay whoever's they are."""

    def __init__(self, fds: Sequence[int], lane: int) -> None:
        self._fds = tuple(fds)
        self._lane = lane

    def ring(self, lane: int) -> None:
        """Wake the worker of that lane; one that is gone, or rung already, is none the wiser."""
        if 0 <= lane < len(self._fds):
            with contextlib.suppress(OSError):
                os.eventfd_write(self._fds[lane], 1)

    def listen(self, loop: asyncio.AbstractEventLoop, rung: Callable[[], None]) -> None:
        """Call `rung` whenever somebody rang, once for however many."""
        if self._lane < len(self._fds):
            loop.add_reader(self._fds[self._lane], self._heard, rung)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen no more."""
        if self._lane < len(self._fds):
            loop.remove_reader(self._fds[self._lane])

    def _heard(self, rung: Callable[[], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._fds[self._lane])
        rung()


def hang(lanes: int) -> tuple[int, ...]:
    """New bells for so many lanes: descriptors that the caller owns; raises `OSError` when there are too many."""
    fds: list[int] = []
    try:
        fds.extend(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(lanes))
    except OSError:
        for fd in fds:
            os.close(fd)
        raise
    return tuple(fds)
