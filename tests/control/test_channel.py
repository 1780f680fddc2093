"""The control channel: messages arrive whole and in order, with their descriptors, and its end is noticed."""

import asyncio
import os
import socket
import struct
from dataclasses import dataclass, field

import pytest

from lbd.control import channel as module
from lbd.control.channel import Channel
from lbd.control.messages import Hello, Listen, Message, Ping, Veto
from lbd.errors import LbdError
from tests.waiting import until


@dataclass
class End:
    """One end of a channel and what it got."""

    sock: socket.socket
    got: list[tuple[Message, list[int]]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.channel = Channel(asyncio.get_running_loop(), self.sock, self.receive, self.end)

    def receive(self, message: Message, fds: list[int]) -> None:
        self.got.append((message, fds))
        self.news.set()

    def end(self, reason: str) -> None:
        self.reasons.append(reason)
        self.news.set()

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.got) + len(self.reasons) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def ends():
    left, right = socket.socketpair()
    pair = End(left), End(right)
    yield pair
    for end in pair:
        end.channel.close()


async def test_messages_arrive_in_order(ends):
    left, right = ends
    sent = [Ping(number) for number in range(1000)]
    for message in sent:
        left.channel.send(message)
    await right.wait(1000)
    assert [message for message, _ in right.got] == sent


async def test_long_messages_arrive_whole_in_both_directions(ends):
    left, right = ends
    long = Veto(1, "x" * 5_000_000)
    left.channel.send(long)
    left.channel.send(Ping(1))
    right.channel.send(long)
    await right.wait(2)
    await left.wait(1)
    assert [message for message, _ in right.got] == [long, Ping(1)]
    assert left.got[0][0] == long


async def test_descriptors_come_with_their_message(ends):
    left, right = ends
    pipes = [os.pipe() for _ in range(3)]
    left.channel.send(Ping(1))
    left.channel.send(Listen("a"), [pipes[0][0], pipes[1][0]])
    left.channel.send(Veto(1, "y" * 2_000_000))
    left.channel.send(Listen("b"), [pipes[2][0]])
    for reader, writer in pipes:
        os.close(reader)
        os.write(writer, b"pipe %d" % writer)
    await right.wait(4)
    assert [len(fds) for _, fds in right.got] == [0, 2, 0, 1]
    received = right.got[1][1] + right.got[3][1]
    assert [os.read(fd, 100) for fd in received] == [b"pipe %d" % writer for _, writer in pipes]
    assert not any(os.get_inheritable(fd) for fd in received)
    for fd in [*received, *(writer for _, writer in pipes)]:
        os.close(fd)


async def test_the_other_end_closing_is_noticed_once(ends):
    left, right = ends
    left.channel.close()
    await right.wait(1)
    assert right.reasons == ["closed by the other end"]
    assert not right.channel.open
    right.channel.send(Ping(1))
    assert left.reasons == []


async def test_a_dead_reader_is_noticed_by_the_writer(ends):
    left, right = ends
    right.channel.close()
    for number in range(10):
        left.channel.send(Ping(number))
    await left.wait(1)
    assert len(left.reasons) == 1


@pytest.mark.parametrize("junk", [
    struct.pack("!IH", 2**32 - 1, 0),
    struct.pack("!IH", 4, 0) + b"junk",
    struct.pack("!IH", 5, 0) + b"\x80\x05K\x01.",
    struct.pack("!IH", 0, 60000),
])
async def test_nonsense_closes_the_channel(junk):
    left, right = socket.socketpair()
    with left:
        end = End(right)
        left.sendall(junk)
        await end.wait(1)
        assert len(end.reasons) == 1
        assert end.got == []


async def test_bounds(ends, monkeypatch):
    left, _ = ends
    monkeypatch.setattr(module, "LONGEST", 100)
    with pytest.raises(LbdError, match="too large"):
        left.channel.send(Hello("x" * 200, 0))
    with pytest.raises(LbdError, match="descriptors"):
        left.channel.send(Listen("a"), [0] * 254)


async def test_a_reader_that_never_reads_ends_the_channel(monkeypatch):
    left, right = socket.socketpair()
    monkeypatch.setattr(module, "MOST_QUEUED", 3_000_000)
    with right:
        end = End(left)
        for _ in range(5):
            end.channel.send(Veto(1, "x" * 1_000_000))
        assert end.reasons == ["the other end does not read"]


class Short:
    """What stands for a callable without memory for its first calls."""

    def __init__(self, real, times):
        self.real = real
        self.times = times

    def __call__(self, *args):
        if self.times:
            self.times -= 1
            raise MemoryError
        return self.real(*args)


class ShortSocket:
    """A socket whose `recvmsg` is short of memory at first."""

    def __init__(self, sock, times):
        self._sock = sock
        self.recvmsg = Short(sock.recvmsg, times)

    def __getattr__(self, name):
        return getattr(self._sock, name)


async def test_reading_without_memory_is_tried_again_later(ends, monkeypatch):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    right.channel._sock = ShortSocket(right.sock, 3)
    reader, writer = os.pipe()
    left.channel.send(Listen("a"), [reader])
    left.channel.send(Ping(1))
    await right.wait(2)
    assert [message for message, _ in right.got] == [Listen("a"), Ping(1)]
    assert right.channel._sock.recvmsg.times == 0
    for fd in (*right.got[0][1], reader, writer):
        os.close(fd)


async def test_a_message_that_there_is_no_memory_for_is_there_later(ends, monkeypatch):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    loads = Short(module.pickle.loads, 3)
    monkeypatch.setattr(module.pickle, "loads", loads)
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
    monkeypatch.setattr(module.pickle, "loads", short := Short(module.pickle.loads, 10**9))
    left.channel.send(Ping(1))
    await until(lambda: short.times < 10**9)
    right.channel.close()
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(module.STARVED, over.set)     # after the channel's, which is set by now
    await over.wait()
    assert (right.got, right.reasons) == ([], [])
