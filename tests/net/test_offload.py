"""Blocking work off the loop: its outcome, and a call that hangs."""

import asyncio
import threading
import time

import pytest

from lbd.errors import LbdError
from lbd.net.offload import Offload
from tests.waiting import turn


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


def test_a_result_of_the_turn_in_which_the_time_is_over_is_not_too_late():
    async def main() -> int:
        offload, release = Offload("reading", 0.01), threading.Event()

        def work() -> int:
            release.wait(20)
            return 7

        running = asyncio.ensure_future(offload.run(work))
        over = time.monotonic() + 0.02
        await turn()
        thread, = (thread for thread in threading.enumerate() if thread.name == "reading")
        release.set()
        thread.join(20)
        while time.monotonic() < over:      # the loop stands still: both are there when it goes on, the result first
            pass
        return await running

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(main()) == 7


async def test_a_timeout_of_the_work_itself_is_handed_on():
    def work() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await Offload("reading").run(work)
