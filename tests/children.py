"""The children of the test process: none outlives the test that started it, nor the loop of that test."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest


def status(pid: int) -> str:
    """/proc/PID/status; empty where the process is gone, be it while its file is opened or read."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/status").read_text()
    return ""


def living(pids: Iterable[int]) -> list[int]:
    """Process ids of `pids` that exist and are no zombies: a parent that inherits them may take its time."""
    return [pid for pid in pids if (text := status(pid)) and "(zombie)" not in text]


def below(pid: int) -> list[int]:
    """Children of a process, of any of its threads; none once it is gone or where the kernel does not list them."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, (task / "children").read_text().split())
    return found


def children() -> set[int]:
    """Living children of this process; none where the kernel does not list them."""
    return set(living(below(os.getpid())))


@pytest.fixture(autouse=True)
async def no_child_is_left() -> AsyncIterator[None]:
    """Asynchronous, so that it is over before the loop is closed; whatever is left is killed and said."""
    before = children()
    yield
    left = children() - before
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes that the test did not end"
