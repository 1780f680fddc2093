"""The control channel: messages arrive whole and in order, with their descriptors, and its end is noticed."""

import asyncio
import os
import pickle
import socket
import struct
from array import array
from dataclasses import dataclass, field, replace

import pytest

from lbd.errors import LbdError
from lbd.process import channel as module
from lbd.process.channel import Channel
from lbd.process.codec import ORDERS, REPORTS, Codec
from lbd.process.messages import Listen, Message, Ping, Pong, Veto, WorkerHello
from tests.waiting import turn, until


@dataclass
class End:
    """One end of a channel and what it got."""

    sock: socket.socket
    writes: Codec = ORDERS
    reads: Codec = ORDERS
    got: list[tuple[Message, list[int]]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.channel = Channel(asyncio.get_running_loop(), self.sock, self.writes, self.reads, self.receive,
                               self.end)

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
@pytest.mark.parametrize("reads", [ORDERS, REPORTS])
async def test_nonsense_closes_the_channel(junk, reads):
    left, right = socket.socketpair()
    with left:
        end = End(right, reads=reads)
        left.sendall(junk)
        await end.wait(1)
        assert len(end.reasons) == 1
        assert end.got == []


async def test_bounds(ends):
    left, _ = ends
    left.channel._writes = replace(ORDERS, longest=100)
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
    loads = Short(ORDERS.decode, 3)
    right.channel._reads = replace(ORDERS, decode=loads)
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
    right.channel._reads = replace(ORDERS, decode=(short := Short(ORDERS.decode, 10**9)))
    left.channel.send(Ping(1))
    await until(lambda: short.times < 10**9)
    right.channel.close()
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(module.STARVED, over.set)     # after the channel's, which is set by now
    await over.wait()
    assert (right.got, right.reasons) == ([], [])


@pytest.mark.parametrize("place", ["_descriptors", "_HEAD"])
async def test_descriptors_that_there_is_no_memory_for_are_there_later(ends, monkeypatch, place):
    monkeypatch.setattr(module, "STARVED", 0.001)
    left, right = ends
    reader, writer = os.pipe()
    left.channel.send(Listen("a"), [reader, reader])
    left.channel.send(Listen("b"), [writer])
    if place == "_descriptors":
        monkeypatch.setattr(module, "_descriptors", short := Short(module._descriptors, 3))
    else:
        right.channel._in = short = ShortBuffer()
    broken = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    await right.wait(2)
    assert ([(message.listener, len(fds)) for message, fds in right.got], short.times) == ([("a", 2), ("b", 1)], 0)
    assert (right.reasons, broken) == ([], [])
    for fd in (*right.got[0][1], *right.got[1][1], reader, writer):
        os.close(fd)


class ShortBuffer(bytearray):
    """A buffer that cannot grow at first."""

    times = 3

    def __iadd__(self, more):
        if self.times:
            self.times -= 1
            raise MemoryError
        return bytearray(self) + more


def descriptors():
    return set(os.listdir("/proc/self/fd"))


async def test_descriptors_that_wait_for_memory_are_closed_at_the_end(ends, monkeypatch):
    left, right = ends
    reader, writer = os.pipe()
    before = descriptors()
    monkeypatch.setattr(module, "_descriptors", short := Short(module._descriptors, 1))
    left.channel.send(Listen("a"), [reader, writer])
    await until(lambda: not short.times, pause=0)
    right.channel.close()
    left.channel.close()
    assert descriptors() < before
    for fd in (reader, writer):
        os.close(fd)


async def test_descriptors_that_cannot_all_be_duplicated_leave_none(ends):
    left, right = ends
    before = descriptors()
    with pytest.raises(OSError, match="Bad file descriptor"):
        left.channel.send(Listen("a"), [0, 0, 10**6])
    assert descriptors() == before
    left.channel.send(Ping(1))
    await right.wait(1)
    assert right.got == [(Ping(1), [])]


@pytest.fixture
async def supervisor():
    """The supervisor's end, and a bare socket for the worker's."""
    theirs, ours = socket.socketpair()
    theirs.settimeout(20)
    with theirs:
        end = End(ours, ORDERS, REPORTS)
        yield theirs, end
        end.channel.close()


def framed(body, count=0):
    return struct.pack("!IH", len(body), count) + body


class Command:
    """What a pickle runs when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


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
