"""Blocking work off the loop: its outcome, and a call that hangs."""

import threading

import pytest

from lbd.errors import LbdError
from lbd.net.offload import Offload


async def test_what_it_returns_and_raises():
    offload = Offload("reading")
    assert await offload.run(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await offload.run(int, "x")
    assert offload.busy == 0


async def test_a_call_that_hangs_is_given_up_and_others_are_refused_meanwhile():
    offload, release = Offload("reading", 0.01, 1), threading.Event()
    with pytest.raises(LbdError, match=r"^reading takes longer than 0\.01 s"):
        await offload.run(release.wait)
    with pytest.raises(LbdError, match=r"^reading hangs since an earlier time"):
        await offload.run(int, "7")
    release.set()
    offload.finish(20)
