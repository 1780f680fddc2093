"""Wake-ups between workers: eventfds on a real loop."""

import asyncio
import os

import pytest

from lbd.net.wakeups import Wakeups, open_wakeups


@pytest.fixture
def fds():
    made = open_wakeups(3)
    yield made
    for fd in made:
        os.close(fd)


async def test_a_worker_hears_its_own_wakeup_once_for_many(fds):
    loop = asyncio.get_running_loop()
    woken = asyncio.Queue()
    one, other = Wakeups(fds, 0), Wakeups(fds, 2)
    other.listen(loop, lambda: woken.put_nowait("other"))
    for _ in range(5):
        one.wake(2)
    one.wake(1)
    async with asyncio.timeout(20):
        assert await woken.get() == "other"
    with pytest.raises(BlockingIOError):    # it is silent again
        os.eventfd_read(fds[2])
    assert woken.empty()
    one.wake(2)
    async with asyncio.timeout(20):
        await woken.get()
    other.close(loop)


@pytest.mark.parametrize("lane", [-1, 3, 1000])
def test_nobody_there(fds, lane):
    Wakeups(fds, 0).wake(lane)
    Wakeups((), 0).wake(0)


async def test_without_bells_there_is_nothing_to_hear():
    wakeups = Wakeups((), 5)
    wakeups.listen(asyncio.get_running_loop(), lambda: None)
    wakeups.close(asyncio.get_running_loop())


def test_they_are_not_inherited_and_do_not_block(fds):
    assert not any(map(os.get_inheritable, fds))
    assert not any(map(os.get_blocking, fds))
