"""An end of a channel to try, and what can go wrong at it."""

import asyncio
import os
import socket
import struct
from dataclasses import dataclass, field

from lbd.workers.channel import Channel
from lbd.workers.codec import ORDERS, Codec
from lbd.workers.messages import Message


@dataclass
class End:
    """An end of a channel, with the messages that it got."""

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


class Short:
    """A callable without memory for its first calls."""

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


def framed(body, count=0):
    return struct.pack("!IH", len(body), count) + body


class Command:
    """A command that a pickle runs when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)
