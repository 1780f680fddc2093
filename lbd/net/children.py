"""Children of this process: those that it started and waits for itself, and those that were left to it as PID 1."""

import contextlib
import os
import sys
from collections.abc import Iterator

_own: set[int] = set()
_untold: list[None] = []     # an item for each `untold` that is entered


def import_path() -> str:
    """PYTHONPATH for a child that runs lbd with `-P`: the path of this process, so that the working directory does not
    decide which code runs."""
    return os.pathsep.join(os.path.abspath(entry) for entry in sys.path if not entry.endswith(".zip"))


def started(pid: int) -> None:
    """Remember a process that this one started and waits for itself."""
    _own.add(pid)


def ended(pid: int) -> None:
    """Forget a process that was waited for: the number may be another's from now on."""
    _own.discard(pid)


@contextlib.contextmanager
def untold() -> Iterator[None]:
    """Reap nothing while another thread starts children of unknown numbers."""
    _untold.append(None)
    try:
        yield
    finally:
        _untold.pop()


def reap() -> int:
    """Wait for children that ended and that this process has not started: orphans of its PID namespace, which come to
    PID 1 (pid_namespaces(7)). Never blocks; returns how many there were.

    An own one that ended and was not waited for yet hides those behind it until the next call.
    """
    count = 0
    while not _untold:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            break
        if found is None or found.si_pid in _own:
            break
        os.waitid(os.P_PID, found.si_pid, os.WEXITED | os.WNOHANG)
        count += 1
    return count
