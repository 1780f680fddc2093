"""The children of the test process: none outlives the test that started it, nor the loop of that test."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest


def children() -> set[int]:
    """Living children of this process; none where the kernel does not list them."""
    with contextlib.suppress(OSError):
        listed = {int(pid) for task in Path("/proc/self/task").iterdir()
                  for pid in (task / "children").read_text().split()}
        return {pid for pid in listed if "(zombie)" not in Path(f"/proc/{pid}/status").read_text()}
    return set()


@pytest.fixture(autouse=True)
async def no_child_is_left() -> AsyncIterator[None]:
    """Asynchronous, so that it is over before the loop is closed; whatever is left is killed and said."""
    before = children()
    yield
    left = children() - before
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes that the test did not end"
