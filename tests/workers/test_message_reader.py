"""The reading half: nonsense ends it, a lack of memory delays it, and a flood has its share only."""

import asyncio
import os
import pickle
import socket
import struct
from array import array
from dataclasses import replace

import pytest

from lbd.workers import descriptors as descriptors_module
from lbd.workers import message_reader as module
from lbd.workers.codec import ORDERS, REPORTS
from lbd.workers.descriptors import of_control_message
from lbd.workers.messages import Listen, Ping, Pong
from tests.waiting import turn, until
from tests.workers.channel_end import Command, End, Short, ShortBuffer, ShortSocket, descriptors, framed


@pytest.mark.parametrize("junk", [
    struct.pack("!IH", 2**32 - 1, 0),
    struct.pack("!IH", 4, 0) + b"junk",
    struct.pack("!IH", 5, 0) + b"\x80\x05K\x01.",
    struct.pack("!IH", 0, 60000),
])
@pytest.mark.parametrize("reads", [ORDERS, REPORTS])
async def test_nonsense_closes_the_channel(junk, reads):
    left, right = socket.socketpair()
    with left:
        end = End(right, reads=reads)
        left.sendall(junk)
        await end.wait(1)
        assert len(end.reasons) == 1
        assert end.got == []


async def test_reading_without_memory_is_tried_again_later(ends, monkeypatch):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    right.channel._reader._sock = ShortSocket(right.sock, 3)
    reader, writer = os.pipe()
    left.channel.send(Listen("a"), [reader])
    left.channel.send(Ping(1))
    await right.wait(2)
    assert [message for message, _ in right.got] == [Listen("a"), Ping(1)]
    assert right.channel._reader._sock.recvmsg.times == 0
    for fd in (*right.got[0][1], reader, writer):
        os.close(fd)


async def test_a_message_that_there_is_no_memory_for_is_there_later(ends, monkeypatch):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    loads = Short(ORDERS.decode, 3)
    right.channel._reader._codec = replace(ORDERS, decode=loads)
    sent = [Ping(number) for number in range(100)]
    for message in sent:
        left.channel.send(message)
    await right.wait(100)
    assert [message for message, _ in right.got] == sent
    assert loads.times == 0
    assert right.reasons == []


async def test_a_channel_that_waits_for_memory_may_be_closed(ends, monkeypatch):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    right.channel._reader._codec = replace(ORDERS, decode=(short := Short(ORDERS.decode, 10**9)))
    left.channel.send(Ping(1))
    await until(lambda: short.times < 10**9)
    right.channel.close()
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(module.STARVED, over.set)     # after the channel's, which is set by now
    await over.wait()
    assert (right.got, right.reasons) == ([], [])


@pytest.mark.parametrize("place", ["descriptors", "buffer"])
async def test_descriptors_that_there_is_no_memory_for_are_there_later(ends, monkeypatch, place):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    reader, writer = os.pipe()
    left.channel.send(Listen("a"), [reader, reader])
    left.channel.send(Listen("b"), [writer])
    if place == "descriptors":
        monkeypatch.setattr(descriptors_module, "of_control_message", short := Short(of_control_message, 3))
    else:
        right.channel._reader._in = short = ShortBuffer()
    broken = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    await right.wait(2)
    assert ([(message.listener, len(fds)) for message, fds in right.got], short.times) == ([("a", 2), ("b", 1)], 0)
    assert (right.reasons, broken) == ([], [])
    for fd in (*right.got[0][1], *right.got[1][1], reader, writer):
        os.close(fd)


async def test_descriptors_that_wait_for_memory_are_closed_at_the_end(ends, monkeypatch):
    left, right = ends
    reader, writer = os.pipe()
    before = descriptors()
    monkeypatch.setattr(descriptors_module, "of_control_message", short := Short(of_control_message, 1))
    left.channel.send(Listen("a"), [reader, writer])
    await until(lambda: not short.times, pause=0)
    right.channel.close()
    left.channel.close()
    assert descriptors() < before
    for fd in (reader, writer):
        os.close(fd)


@pytest.fixture
async def supervisor():
    """The supervisor's end, and a bare socket for the worker's."""
    theirs, ours = socket.socketpair()
    theirs.settimeout(20)
    with theirs:
        end = End(ours, ORDERS, REPORTS)
        yield theirs, end
        end.channel.close()


@pytest.mark.parametrize("body", [b'["Pong","x"]', b'["Cut"]', b'["Pong",1', b"[" * 60_000])
async def test_a_report_against_the_rules_ends_the_channel(supervisor, body):
    theirs, end = supervisor
    theirs.sendall(framed(b'["Pong",1]') + framed(body) + framed(b'["Pong",2]'))
    await end.wait(2)
    assert [message for message, _ in end.got] == [Pong(1)]
    assert len(end.reasons) == 1
    assert end.reasons[0].startswith("a message that cannot be read: ")
    assert len(end.reasons[0]) < 300


async def test_a_pickle_of_a_worker_is_not_read(supervisor, tmp_path):
    theirs, end = supervisor
    theirs.sendall(framed(pickle.dumps(Command(tmp_path / "made"))))
    await end.wait(1)
    assert end.reasons[0].startswith("a message that cannot be read: ")
    assert not (tmp_path / "made").exists()


async def test_a_report_that_is_too_long_is_not_waited_for(supervisor):
    theirs, end = supervisor
    theirs.sendall(struct.pack("!IH", REPORTS.longest + 1, 0))
    await end.wait(1)
    assert end.reasons == ["a message beyond all bounds"]


@pytest.mark.parametrize("count", [0, 3])
async def test_descriptors_of_a_worker_are_closed_and_end_the_channel(supervisor, count):
    theirs, end = supervisor
    before = descriptors()
    theirs.sendmsg([framed(b'["Pong",1]', count)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [0, 1, 2]))])
    await end.wait(1)
    assert (end.got, end.reasons) == ([], ["descriptors came, which this end takes none of"])
    assert descriptors() < before


async def test_a_flood_of_reports_has_its_share_only(supervisor, monkeypatch):
    monkeypatch.setattr(module, "TURN", 3600.0)
    theirs, end = supervisor
    theirs.sendall(b"".join(framed(b'["Pong",%d]' % number) for number in range(3 * REPORTS.pace)))
    await end.wait(REPORTS.pace)
    theirs.sendall(framed(b'["Pong",0]'))
    await turn(20)
    assert (len(end.got), end.reasons) == (REPORTS.pace, [])


async def test_the_end_is_noticed_behind_a_flood(supervisor):
    theirs, end = supervisor
    many = 2 * REPORTS.pace + 1
    theirs.sendall(b"".join(framed(b'["Pong",%d]' % number) for number in range(many)))
    theirs.close()
    await end.wait(many + 1)
    assert [message.number for message, _ in end.got] == list(range(many))
    assert end.reasons == ["closed by the other end"]
