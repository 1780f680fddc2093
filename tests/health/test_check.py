"""Errors of checks in a few words."""

import contextlib
import errno
import gc
import os
import resource

import pytest

from lbd.health import CHECKS
from lbd.health.check import Subject, words
from lbd.schema.units import Address


@pytest.mark.parametrize(("error", "text"), [
    (TimeoutError(), "timeout"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
    (OSError(errno.ENOSPC, "No space"), "No space"),
    (EOFError(), "connection closed"),
    (ValueError("odd"), "odd"),
    (KeyError(), "KeyError"),
])
def test_words(error, text):
    assert words(error) == text


@contextlib.contextmanager
def no_descriptors():
    """This process can open nothing more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = []
    gc.collect()        # what waits to be closed would make room in the middle of it
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, limits[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                fillers.append(os.dup(0))
        yield
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("kind", CHECKS)
@pytest.mark.parametrize("address", [Address("127.0.0.1", 1), Address("::1", 1), Address(path="/none/socket")])
async def test_what_this_machine_lacks_is_no_result(kind, address):
    options = {"exec": {"command": ("/bin/true",)}}.get(kind, {})
    with no_descriptors(), pytest.raises(OSError, match="Too many open files"):
        await CHECKS[kind].check(Subject(address, "app", "a"), CHECKS[kind].Options(**options), 5.0)
