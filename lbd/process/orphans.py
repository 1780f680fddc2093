"""Workers that an earlier supervisor left behind: told to drain once others serve, and followed to their end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable

from lbd.log.logger import logger

LEAVE = signal.SIGTERM   # an orphan drains at it; a worker with a supervisor does not listen to it


class Orphans:
    """The workers of an earlier supervisor. `ended` is called with the pid of each that is gone; a child is reaped."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        self._ended = ended
        self._pidfds: dict[int, int] = {}

    @property
    def pids(self) -> list[int]:
        """Process ids of the orphans that still live."""
        return sorted(self._pidfds)

    def dismiss(self, pids: Iterable[int]) -> None:
        """Tell these processes to drain, within the `drain_timeout` that they know."""
        loop = asyncio.get_running_loop()
        for pid in pids:
            if pid in self._pidfds:
                continue
            try:
                pidfd = os.pidfd_open(pid)
                signal.pidfd_send_signal(pidfd, LEAVE)
            except OSError:
                self._reap(pid)
                self._ended(pid)
                continue
            logger.info("worker of an earlier supervisor drains", pid=pid)
            self._pidfds[pid] = pidfd
            loop.add_reader(pidfd, self._gone, pid)

    def close(self) -> None:
        """Stop following the orphans; they end by themselves."""
        for pidfd in self._pidfds.values():
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
        self._pidfds.clear()

    def _gone(self, pid: int) -> None:
        pidfd = self._pidfds.pop(pid)
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        self._reap(pid)
        self._ended(pid)

    def _reap(self, pid: int) -> None:
        with contextlib.suppress(OSError):   # mostly the child of another process
            os.waitpid(pid, os.WNOHANG)
