"""Clients of all manners, each a loop that checks every byte of what it gets."""

import asyncio
import hashlib
import random
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable

from tests.chaos.origins import PATTERN, body
from tests.chaos.verdict import Verdict

PATIENCE = 20.0      # seconds for one exchange; a stopped worker is replaced after five
Failure = tuple[str, str]


class Broken(Exception):
    """An exchange failed: the word of its failure, and a detail."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(what, detail)
        self.what, self.detail = what, detail


class Clients:
    """The load: `gate` is closed for a pause, after which nothing is in flight. `plain`, `secure`, `tcp`: ports."""

    def __init__(self, verdict: Verdict, seed: int, plain: int, secure: int, tcp: int, trust: ssl.SSLContext) -> None:
        self.verdict = verdict
        self.ports = {"plain": plain, "secure": secure, "tcp": tcp}
        self.gate = asyncio.Event()
        self.busy = 0
        self._trust = trust
        self._seed = seed
        self._number = 0

    def loops(self) -> list[Awaitable[None]]:
        """The loop of one client."""
        manners: list[tuple[int, Callable[[random.Random], Awaitable[None]], str]] = [
            (8, self.getter, "get"), (4, self.secure_getter, "tls"), (4, self.poster, "post"), (2, self.once, "once"),
            (2, self.slow_reader, "slow"), (4, self.aborter, "abort"), (3, self.tunnel, "tunnel"),
            (3, self.stream, "tcp"), (2, self.bounded, "bounded")]
        return [self._loop(what, manner, random.Random(f"{self._seed} {what} {place}"))
                for count, manner, what in manners for place in range(count)]

    async def _loop(self, what: str, manner: Callable[[random.Random], Awaitable[None]], dice: random.Random) -> None:
        while True:
            await self.gate.wait()
            self.busy += 1
            since = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE * 2):
                    await manner(dice)
            except Broken as failure:
                self.verdict.failed(what, failure.what, failure.detail, since)
            except TimeoutError:
                self.verdict.failed(what, "timeout", "no end", since)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.verdict.failed(what, "reset", repr(error), since)
            finally:
                self.busy -= 1
            await asyncio.sleep(dice.uniform(0.005, 0.03))

    def next(self) -> int:
        self._number += 1
        return self._number

    async def connect(self, where: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection, with TLS where the port has it."""
        try:
            async with asyncio.timeout(PATIENCE):
                if where == "secure":
                    return await asyncio.open_connection("127.0.0.1", self.ports[where], ssl=self._trust,
                                                         server_hostname="chaos.test", limit=1 << 18)
                return await asyncio.open_connection("127.0.0.1", self.ports[where], limit=1 << 18)
        except ssl.SSLError as error:
            raise Broken("tls", repr(error)) from None
        except OSError as error:
            raise Broken("refused", repr(error)) from None

    async def ask(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], number: int, size: int,
                  path: str = "/n") -> bool:
        """GET a body of that size and check it; returns whether the connection may be used again."""
        reader, writer = streams
        writer.write(f"GET {path}/{number}/{size} HTTP/1.1\r\nHost: chaos.test\r\nX-Number: {number}\r\n\r\n".encode())
        status, fields, got = await answer(reader)
        check(status, fields, number)
        if got != body(number, size):
            raise Broken("wrong", f"the body of {number} is another: {len(got)} of {size} bytes")
        return fields.get("connection", "").lower() != "close"

    async def getter(self, dice: random.Random, where: str = "plain", path: str = "/n") -> None:
        """Several requests on one connection."""
        streams = await self.connect(where)
        try:
            for _ in range(dice.randint(1, 30)):
                number = self.next()
                since = time.monotonic()
                async with asyncio.timeout(PATIENCE):
                    keep = await self.ask(streams, number, dice.choice((0, 10, 1000, 30_000)), path)
                self.verdict.succeeded(where)
                if not keep or not self.gate.is_set() or time.monotonic() - since > PATIENCE:
                    break
                await asyncio.sleep(dice.uniform(0, 0.02))
        finally:
            streams[1].close()

    async def secure_getter(self, dice: random.Random) -> None:
        await self.getter(dice, "secure")

    async def bounded(self, dice: random.Random) -> None:
        """Requests to the backend whose servers have few places."""
        await self.getter(dice, "plain", "/bounded/n")

    async def once(self, dice: random.Random) -> None:
        """A connection for one request."""
        streams = await self.connect("plain")
        try:
            await self.ask(streams, self.next(), 100)
            self.verdict.succeeded("once")
        finally:
            streams[1].close()

    async def poster(self, dice: random.Random) -> None:
        """An upload, with a length or chunked, whose digest comes back."""
        reader, writer = await self.connect("plain")
        try:
            number, size = self.next(), dice.choice((1, 5000, 100_000, 300_000))
            data = body(number, size)
            chunked = dice.random() < 0.5
            writer.write((f"POST /up/{number} HTTP/1.1\r\nHost: chaos.test\r\nX-Number: {number}\r\n" + (
                "Transfer-Encoding: chunked\r\n\r\n" if chunked else f"Content-Length: {size}\r\n\r\n")).encode())
            step = max(size // dice.randint(1, 5), 1)
            for at in range(0, size, step):
                piece = data[at:at + step]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await asyncio.sleep(dice.choice((0, 0, 0.01)))
            if chunked:
                writer.write(b"0\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                status, fields, got = await answer(reader)
            check(status, fields, number)
            if got.decode() != f"{size} {hashlib.sha256(data).hexdigest()}":
                raise Broken("wrong", f"the server got another body than {number} sent: {got[:100]!r}")
            self.verdict.succeeded("post")
        finally:
            writer.close()

    async def slow_reader(self, dice: random.Random) -> None:
        """A long answer, read a little at a time."""
        reader, writer = await self.connect("plain")
        try:
            number, size = self.next(), 900_000
            writer.write(f"GET /n/{number}/{size} HTTP/1.1\r\nHost: a\r\nX-Number: {number}\r\n\r\n".encode())
            status, fields, got = await answer(reader, 0.01)
            check(status, fields, number)
            if got != body(number, size):
                raise Broken("wrong", f"the body of {number} is another: {len(got)} of {size} bytes")
            self.verdict.succeeded("slow")
        finally:
            writer.close()

    async def aborter(self, dice: random.Random) -> None:
        """A client that stops in the middle of anything: nothing is expected, but that it harms nobody."""
        where = dice.choice(("plain", "tcp", "plain"))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[where])
        except OSError as error:
            raise Broken("refused", repr(error)) from None
        number = self.next()
        request = dice.choice((
            f"GET /n/{number}/900000 HTTP/1.1\r\nHost: a\r\nX-Number: {number}\r\n\r\n".encode(),
            b"POST /up/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + PATTERN[:3000],
            b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + PATTERN[:9000],
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", PATTERN[:5000]))
        try:
            writer.write(request[:dice.randint(1, len(request))])
            if dice.random() < 0.5:
                await reader.read(dice.randint(1, 50_000))
            if dice.random() < 0.3:
                writer.write_eof()
            await asyncio.sleep(dice.choice((0, 0.01, 0.3)))
        except OSError:
            return
        finally:
            sock = writer.get_extra_info("socket")
            if dice.random() < 0.6 and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

    async def tunnel(self, dice: random.Random) -> None:
        """An upgrade, then echoes."""
        reader, writer = await self.connect("plain")
        try:
            writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                raise Broken(head.split(b" ")[1].decode(), "no tunnel")
            await self._echo(reader, writer, dice, "tunnel")
        finally:
            writer.close()

    async def stream(self, dice: random.Random) -> None:
        """A TCP connection, and echoes."""
        reader, writer = await self.connect("tcp")
        try:
            await self._echo(reader, writer, dice, "tcp")
        finally:
            writer.close()

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dice: random.Random,
                    what: str) -> None:
        for _ in range(dice.randint(1, 20)):
            data = body(self.next(), dice.choice((10, 1000, 200_000)))
            writer.write(data)
            async with asyncio.timeout(PATIENCE):
                try:
                    got = await reader.readexactly(len(data))
                except asyncio.IncompleteReadError as error:
                    if error.partial and not data.startswith(error.partial):
                        raise Broken("wrong", f"{what}: other bytes came back") from None
                    raise Broken("cut", f"{what} ended") from None
                except OSError as error:
                    raise Broken("cut", f"{what}: {error!r}") from None
            if got != data:
                raise Broken("wrong", f"{what}: other bytes came back")
            self.verdict.succeeded(what)
            if not self.gate.is_set():
                break
            await asyncio.sleep(dice.uniform(0, 0.05))


async def answer(reader: asyncio.StreamReader, pause: float = 0.0) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and body of a response; Broken where it ends too soon."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError as error:
        raise Broken("eof", f"in the head after {len(error.partial)} bytes") from None
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
    found = bytearray()
    try:
        if fields.get("transfer-encoding") == "chunked":
            while length := int(await reader.readline() or b"x", 16):
                found += await reader.readexactly(length)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            left = int(fields.get("content-length", "0"))
            while left:
                piece = await reader.readexactly(min(left, 16_384))
                found += piece
                left -= len(piece)
                if pause:
                    await asyncio.sleep(pause)
    except (asyncio.IncompleteReadError, ValueError):
        raise Broken("eof", f"in the body after {len(found)} bytes") from None
    return int(head[0].split(" ")[1]), fields, bytes(found)


def check(status: int, fields: dict[str, str], number: int) -> None:
    """The answer is a server's, to this very request."""
    if status != 200:
        raise Broken(str(status), fields.get("x-request-id", ""))
    if fields.get("x-number") != str(number):
        raise Broken("wrong", f"{number} got the answer to {fields.get('x-number')}")
