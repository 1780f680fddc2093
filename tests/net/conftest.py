"""Both nets under test, protocols that record what they are told, and raw sockets to meet them."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest
import uvloop

from lbd.net.loop import LoopNet
from lbd.net.sock import Poller
from tests.plane import client as client
from tests.plane import connect as connect
from tests.plane import refusing as refusing
from tests.plane import rig as rig
from tests.plane import silent as silent
from tests.plane import simple as simple
from tests.plane import spare as spare
from tests.plane import stage as stage
from tests.plane import told as told
from tests.waiting import turn, until

MB = 1 << 20
FAMILIES = ["ipv4", "ipv6", "unix", "abstract"]


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}


class Peer:
    """A protocol that records, and does what it is given as `on_…`."""

    def __init__(self, **hooks: Callable):
        self.loop = asyncio.get_running_loop()
        self.hooks = hooks
        self.calls = []
        self.data = bytearray()
        self.changed = asyncio.Event()
        self.transport = None
        self.keep_open = False
        self.sated = None
        self.exc = "not lost"

    def _note(self, name, *args):
        self.calls.append(name)
        self.changed.set()
        if name in self.hooks:
            self.hooks[name](self, *args)

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(65536, 16384)
        self._note("connection_made")

    def data_received(self, data):
        assert type(data) is bytes
        self.data += data
        self._note("data_received", data)
        return self.sated

    def eof_received(self):
        self._note("eof_received")
        return self.keep_open

    def pause_writing(self):
        self._note("pause_writing")

    def resume_writing(self):
        self._note("resume_writing")

    def connection_lost(self, exc):
        self.exc = exc
        self._note("connection_lost", exc)

    async def until(self, condition):
        """Wait for `condition()`, which is looked at after every callback."""
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def told(self, name, times=1):
        await self.until(lambda: self.calls.count(name) >= times)

    async def got(self, size):
        await self.until(lambda: len(self.data) >= size)
        return bytes(self.data)


def echo(**hooks):
    return Peer(data_received=lambda peer, data: peer.transport.write(data), **hooks)


def reset(sock):
    """Close so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


async def send_until_full(peer, piece=b"x" * 65536):
    """Write until the protocol is told to pause."""
    sent = 0
    async with asyncio.timeout(20):
        while "pause_writing" not in peer.calls:
            peer.transport.write(piece)
            sent += len(piece)
            await turn()
    return sent


class Bench:
    """A net in the running loop, with all that its tests open."""

    def __init__(self, kind, tmp_path):
        self.loop = asyncio.get_running_loop()
        self.kind = kind
        self.tmp_path = tmp_path
        self.failures = []
        self.sockets = []
        self.peers = []
        if kind == "kernel":
            self.net = Poller(lambda exc, source: self.failures.append(exc))
            self.loop.add_reader(self.net.fileno(), self.net.run)
        else:
            self.net = LoopNet(self.loop)
            self.loop.set_exception_handler(lambda loop, context: self.failures.append(context.get("exception")))

    def bound(self, family="ipv4", backlog=4096, receive=0):
        """A listening socket (abstract: of the longest name); `receive` sets the receive buffer of its connections."""
        address = {"ipv4": ("127.0.0.1", 0), "ipv6": ("::1", 0), "unix": str(self.tmp_path / f"{len(self.sockets)}"),
                   "abstract": f"\0lbd-test-{id(self)}-{len(self.sockets)}".ljust(107, "x")}[family]
        kind = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}.get(family, socket.AF_UNIX)
        sock = socket.socket(kind)
        self.sockets.append(sock)
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sock.bind(address)
        sock.listen(backlog)
        return sock

    def listen(self, make=echo, family="ipv4", **more):
        """An acceptor, the address it listens on, and the list of the protocols it made."""
        made = []

        def factory():
            made.append(make())
            self.peers.append(made[-1])
            return made[-1]

        sock = self.bound(family)
        address = sock.getsockname()
        return self.net.listen(sock, factory, **more), (sock.family, address), made

    def connect(self, where, peer=None):
        peer = peer or Peer()
        self.peers.append(peer)
        peer.pending = self.net.connect(*where, peer)
        return peer

    async def pair(self, family="ipv4", near=None, receive=0, small=0):
        """A protocol of the net connected to a raw socket of ours, whose buffers may be made small."""
        listener = self.bound(family, receive=small)
        peer = self.connect((listener.family, listener.getsockname()), near)
        await peer.told("connection_made")
        raw, _ = listener.accept()
        self.sockets.append(raw)
        raw.setblocking(False)
        return peer, raw

    async def read(self, raw, size=1 << 20):
        """Everything up to `size` bytes, or to the end."""
        data = bytearray()
        async with asyncio.timeout(20):
            while len(data) < size and (piece := await self.loop.sock_recv(raw, min(65536, size - len(data)))):
                data += piece
        return bytes(data)

    async def until(self, condition):
        """Turn the loop until `condition()`, for what no callback tells."""
        await until(condition, pause=0.0)

    async def turns(self, count=20):
        """Let the loop and the net go round: what is due by then has happened."""
        await turn(count)

    async def close(self):
        if self.kind == "kernel":
            if self.net.fileno() >= 0:
                self.loop.remove_reader(self.net.fileno())
                self.net.close()
        else:
            self.net.close()
            await self.net.tasks.cancel()
            # uvloop does not always come to an end of closing a loop with open transports.
            for peer in self.peers:
                if peer.transport is not None and "connection_lost" not in peer.calls:
                    peer.transport.abort()
                    await peer.told("connection_lost")
        for sock in self.sockets:
            sock.close()
        await self.turns()


@pytest.fixture(params=["kernel", "loop"])
async def bench(request, tmp_path):
    """Both nets, one after the other."""
    made = Bench(request.param, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def kernel(tmp_path):
    """The kernel alone: where the loop's transports behave differently."""
    made = Bench("kernel", tmp_path)
    yield made
    await made.close()
