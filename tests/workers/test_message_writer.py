"""The writing half: its bounds, and its end when nobody reads."""

import socket
from dataclasses import replace

import pytest

from lbd.errors import LbdError
from lbd.workers.codec import ORDERS
from lbd.workers.messages import Listen, Ping, Veto, WorkerHello
from tests.workers.channel_end import End, descriptors


async def test_a_dead_reader_is_noticed_by_the_writer(ends):
    left, right = ends
    right.channel.close()
    for number in range(10):
        left.channel.send(Ping(number))
    await left.wait(1)
    assert len(left.reasons) == 1


async def test_bounds(ends):
    left, _ = ends
    left.channel._writer._codec = replace(ORDERS, longest=100)
    with pytest.raises(LbdError, match="too large"):
        left.channel.send(WorkerHello("x" * 200, 0))
    with pytest.raises(LbdError, match="descriptors"):
        left.channel.send(Listen("a"), [0] * 254)


async def test_a_reader_that_never_reads_ends_the_channel():
    left, right = socket.socketpair()
    with right:
        end = End(left, replace(ORDERS, most_queued=3_000_000))
        for _ in range(5):
            end.channel.send(Veto(1, "x" * 1_000_000))
        assert end.reasons == ["the other end does not read"]


async def test_descriptors_that_cannot_all_be_duplicated_leave_none(ends):
    left, right = ends
    before = descriptors()
    with pytest.raises(OSError, match="Bad file descriptor"):
        left.channel.send(Listen("a"), [0, 0, 10**6])
    assert descriptors() == before
    left.channel.send(Ping(1))
    await right.wait(1)
    assert right.got == [(Ping(1), [])]
