"""A data plane in a test: served by a real loop on a loopback socket, with servers and clients that the test plays."""

import asyncio
import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from lbd.backend.snapshot import Endpoint, Generation
from lbd.balance import ALGORITHMS
from lbd.config.reader import read_file
from lbd.health import CHECKS
from lbd.net.loop import LoopNet
from lbd.net.sock import Poller
from lbd.proxy.data_plane import DataPlane
from lbd.proxy.timers import TICK
from lbd.schema import Config
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board
from tests.waiting import until

DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT"      # of a server, which passes as it is
LIMIT = 20.0     # seconds that any step may take before the test fails


def request(target: str = "/", *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    """A request as a client sends it."""
    lines = [f"{method} {target} HTTP/1.1", "Host: example.com", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(body: bytes = b"ok", *fields: str, status: str = "200 OK") -> bytes:
    """An answer as a server sends it."""
    return "\r\n".join([f"HTTP/1.1 {status}", DATE, *fields, f"Content-Length: {len(body)}", "", ""]).encode() + body


def configuration(text: str, directory: Path) -> Config:
    """The configuration of a TOML text."""
    file = directory / "lbd.toml"
    file.write_text(text)
    return read_file(str(file), ALGORITHMS, CHECKS).config


def generation(config: Config, number: int = 1, health: Mapping[str, str] | None = None) -> Generation:
    """Every name gets the slot of its place; servers are up unless `health` says otherwise."""
    slots = iter(range(10_000))
    endpoints = {
        name: tuple(Endpoint(name, server, about.address, next(slots), about.weight, about.backup, about.mode,
                             (health or {}).get(server, "up"), about.max_conns or 0)
                    for server, about in backend.servers.items())
        for name, backend in config.backends.items()
    }
    routes = {}
    for name in config.listeners:
        for backend in ("", *config.backends):
            routes[name, backend] = len(routes)
    return Generation(number, config, endpoints, {name: place for place, name in enumerate(config.backends)},
                      {name: place for place, name in enumerate(config.listeners)}, routes)


class QuickTimers:
    """The clock of a plane: its ticks come ten times as often as they say. A deadline takes as many of them as ever,
    so that a machine which stands still brings none of them nearer."""

    SPEED = 10

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._loop = asyncio.get_running_loop()
        plane.timers.stop()
        plane.context.clock = self.clock
        plane.timers._loop = self       # type: ignore[assignment]
        plane.timers._handle = self.call_later(TICK, plane.timers._tick)

    def clock(self) -> float:
        """The time of the next tick."""
        return self._plane.context.now + TICK

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call it in a tenth of the time."""
        return self._loop.call_later(delay / self.SPEED, callback)

    def stop(self) -> None:
        """Let the plane have the clock of the machine, for what is measured by that."""
        self._plane.context.clock = time.monotonic
        self._plane.timers._loop = self._loop


class Rig:
    """`address` is where the listener `web` accepts; `suspected` what the plane reported of failing servers."""

    def __init__(self, transport: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.board = Board.create(2)
        self.suspected: list[tuple[str, str]] = []
        self.poller: Poller | None = None
        if transport == "sock":
            self.poller = Poller()
            self.loop.add_reader(self.poller.fileno(), self.poller.run)
        net: Any = self.poller or LoopNet(self.loop)
        self.plane = DataPlane(self.loop, net, self.board, 0, lambda *server: self.suspected.append(server[:2]))
        self.quick = QuickTimers(self.plane)
        self.address: tuple[str, int] = ("", 0)
        self.addresses: dict[str, tuple[str, int]] = {}
        self.send_buffer = 0     # bytes that the kernel holds for a slow client; 0: its own choice

    def start(self, config: Config, **more: Any) -> None:
        """Put the configuration in force and listen."""
        self.apply(generation(config, **more))
        for name in config.listeners:
            sock = socket.create_server(("127.0.0.1", 0))
            sock.setblocking(False)
            if self.send_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
            self.address = self.addresses[name] = sock.getsockname()[:2]
            self.plane.listen(name, sock)

    def apply(self, wanted: Generation) -> None:
        """Another generation."""
        self.plane.prepare(wanted)
        self.plane.commit()

    def ending(self, name: str) -> int:
        """How many requests ended so."""
        number = next(place for place, ending in enumerate(endings.ENDINGS) if ending.name == name)
        return int(self.board.total(scoreboard.PROCESS, 0, fields.PROCESS_ENDINGS + number))

    @property
    def connections(self) -> list[Any]:
        """The client connections."""
        return list(self.plane.admission.clients)

    @property
    def exchanges(self) -> list[Any]:
        """The exchanges that are under way."""
        return [exchange for connection in self.connections for exchange in connection.requests()]

    def in_flight(self, slot: int = 0) -> int:
        """Requests in flight at a server."""
        return self.board.in_flight(slot)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that no event tells of."""
        await until(condition, LIMIT)

    async def lines(self, reader: int, got: bytearray, count: int) -> list[dict[str, object]]:
        """JSON that the plane writes to a pipe, of which `got` was read before: so many lines of it at least."""
        def complete() -> bool:
            with contextlib.suppress(BlockingIOError):
                got.extend(os.read(reader, 65536))
            return got.count(b"\n") >= count
        await self.until(complete)
        return [json.loads(line) for line in got.splitlines()]

    async def tick(self) -> None:
        """Wait for the plane's next look at its deadlines."""
        now = self.plane.context.now
        await self.until(lambda: self.plane.context.now != now)

    async def close(self) -> None:
        """Stop the plane; nothing may be left of it."""
        ended = asyncio.Event()
        self.plane.drain(0.0, ended.set)
        self.plane.cut()
        try:
            async with asyncio.timeout(LIMIT):
                await ended.wait()
        finally:
            self.plane.timers.stop()
            if self.poller is not None:
                self.loop.remove_reader(self.poller.fileno())
                self.poller.close()


class Peer:
    """An end of a connection that the test plays."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, address: tuple[str, int], receive_buffer: int = 0, **more: Any) -> "Peer":
        """A new client; `receive_buffer`: bytes that its kernel holds for it, 0 for its own choice."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return cls(*await asyncio.open_connection(sock=sock, **more))

    async def send(self, data: bytes) -> None:
        """Write all of it."""
        self.writer.write(data)
        await self.writer.drain()

    async def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        async with asyncio.timeout(LIMIT):
            return await self.reader.readexactly(count)

    async def head(self) -> bytes:
        """Up to and with the empty line."""
        async with asyncio.timeout(LIMIT):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def message(self) -> tuple[bytes, bytes]:
        """Head and body of a message with a Content-Length, or with neither."""
        head = await self.head()
        length = re.search(rb"(?im)^content-length: (\d+)\r$", head)
        return head, await self.read(int(length[1]) if length is not None else 0)

    async def ended(self) -> None:
        """The connection ends, in order or not, without another byte."""
        with contextlib.suppress(ConnectionError):
            assert await self.rest() == b""

    async def rest(self) -> bytes:
        """Everything until the connection ends; a reset raises ConnectionResetError."""
        async with asyncio.timeout(LIMIT):
            return await self.reader.read()

    def half_close(self) -> None:
        """Send no more."""
        self.writer.write_eof()

    def shut(self) -> None:
        """End both ways now, not with the loop's next turn; what still comes is answered by a reset."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as sock:
            sock.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End it with a RST."""
        sock: Any = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()

    def close(self) -> None:
        """End it in good order, or at once where the other side takes nothing."""
        self.writer.close()
        if self.writer.transport.get_write_buffer_size():
            self.writer.transport.abort()


class Stage:
    """A server that accepts, and hands each connection to the test."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[Peer] = asyncio.Queue()
        self.server: asyncio.Server | None = None
        self.address = ""
        self.peers: list[Peer] = []

    async def start(self) -> "Stage":
        """Listen on a free port."""
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.accepted.put(Peer(reader, writer))
        self.server = await asyncio.start_server(take, "127.0.0.1", 0, limit=2**20)
        host, port = self.server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def accept(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(LIMIT):
            peer = await self.accepted.get()
        self.peers.append(peer)
        return peer

    def close(self) -> None:
        """Listen no more, and end what was accepted."""
        if self.server is not None:
            self.server.close()
        while not self.accepted.empty():
            self.peers.append(self.accepted.get_nowait())
        for peer in self.peers:
            peer.close()


async def warm(connect: Callable[[], Awaitable[Peer]], stage: Stage) -> tuple[Peer, Peer]:
    """A client after its first request, and its server: both keep their connections."""
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    return client, server


class Refusing:
    """An address whose port nobody listens at, and nobody else can take."""

    def __init__(self) -> None:
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.sock.getsockname())

    def close(self) -> None:
        """Give it up."""
        self.sock.close()


class Silent(Refusing):
    """An address where connects are never answered: its queue of connections is full."""

    def __init__(self) -> None:
        super().__init__()
        self.sock.listen(0)
        self.waiting = [socket.socket() for _ in range(3)]
        for sock in self.waiting:
            sock.setblocking(False)
            sock.connect_ex(self.sock.getsockname())

    def close(self) -> None:
        for sock in self.waiting:
            sock.close()
        super().close()
