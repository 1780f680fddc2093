"""Bells between the workers: eventfds on a real loop."""

import asyncio
import os

import pytest

from lbd.net.bells import Bells, hang


@pytest.fixture
def fds():
    made = hang(3)
    yield made
    for fd in made:
        os.close(fd)


async def test_a_worker_hears_its_own_bell_once_for_many_rings(fds):
    loop = asyncio.get_running_loop()
    rung = asyncio.Queue()
    one, other = Bells(fds, 0), Bells(fds, 2)
    other.listen(loop, lambda: rung.put_nowait("other"))
    for _ in range(5):
        one.ring(2)
    one.ring(1)
    async with asyncio.timeout(20):
        assert await rung.get() == "other"
    with pytest.raises(BlockingIOError):    # it is silent again
        os.eventfd_read(fds[2])
    assert rung.empty()
    one.ring(2)
    async with asyncio.timeout(20):
        await rung.get()
    other.close(loop)


@pytest.mark.parametrize("lane", [-1, 3, 1000])
def test_nobody_there(fds, lane):
    Bells(fds, 0).ring(lane)
    Bells((), 0).ring(0)


async def test_without_bells_there_is_nothing_to_hear():
    bells = Bells((), 5)
    bells.listen(asyncio.get_running_loop(), lambda: None)
    bells.close(asyncio.get_running_loop())


def test_they_are_not_inherited_and_do_not_block(fds):
    assert not any(map(os.get_inheritable, fds))
    assert not any(map(os.get_blocking, fds))
