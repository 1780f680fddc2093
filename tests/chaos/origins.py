"""Servers that misbehave on demand: each answers by its mode, and what it answers can be checked byte by byte."""

import asyncio
import contextlib
import hashlib

PATTERN = bytes(number * 7 % 251 for number in range(251)) * 4200
LONGEST = 1 << 20          # bytes of an answer
BROKEN = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)
MODES = ("ok", "stall", "reset", "cut", "garbage", "slow")


def body(number: int, size: int) -> bytes:
    """The body of `/n/NUMBER/SIZE`: no two numbers in a row have the same."""
    start = number % 251
    return PATTERN[start:start + size]


class Origin:
    """An HTTP server on 127.0.0.1, with an echo of everything behind an upgrade; `port` stays the same over `stop`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mode = "ok"
        self.well = True        # what checks are told
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen, on the port that it had."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 18, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and reset every connection, as a process that was killed."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in [*self._open]:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(*BROKEN):
                while await self._one(reader, writer):
                    continue
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve a request; False at the end of the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        sent = hashlib.sha256()
        size = await receive(reader, fields, sent)
        mode = self.mode
        if target == "/healthz" and not self.well:
            writer.write(b"HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n")
            return True
        while self.mode == "stall":
            await asyncio.sleep(0.05)
            mode = "reset"
        if mode == "slow":
            await asyncio.sleep(0.3)
        if mode == "reset":
            writer.transport.abort()
            return False
        if mode == "garbage":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n")
            await writer.drain()
            return False
        if "upgrade" in fields:
            await self._echo(reader, writer)
            return False
        answer = f"{size} {sent.hexdigest()}".encode() if method == "POST" else b"ok"
        parts = target.split("/")
        if parts[1] == "n":
            answer = body(int(parts[2]), int(parts[3]))
        await self._answer(writer, fields.get("x-number", "0"), answer, mode == "cut")
        return mode != "cut"

    async def _answer(self, writer: asyncio.StreamWriter, number: str, answer: bytes, cut: bool) -> None:
        head = f"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nX-Server: {self.name}\r\n"
        chunked = int(number) % 3 == 0
        head += "Transfer-Encoding: chunked\r\n\r\n" if chunked else f"Content-Length: {len(answer)}\r\n\r\n"
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(answer), answer) if chunked and answer else answer
        if chunked and not answer:
            framed = b"0\r\n\r\n"
        writer.write(head.encode() + (framed[:len(framed) // 2] if cut else framed))
        await writer.drain()

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


class Echo(Origin):
    """A TCP server that sends everything back."""

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while data := await reader.read(1 << 16):
            if self.mode == "reset":
                writer.transport.abort()
                return False
            while self.mode == "stall":
                await asyncio.sleep(0.05)
            writer.write(data)
            await writer.drain()
        return False


async def receive(reader: asyncio.StreamReader, fields: dict[str, str], sent: "hashlib._Hash") -> int:
    """Read the body of a request into the digest; returns its length."""
    size = 0
    if fields.get("transfer-encoding") == "chunked":
        while length := int(await reader.readline(), 16):
            sent.update(await reader.readexactly(length))
            await reader.readexactly(2)
            size += length
        while (await reader.readline()).strip():
            continue
        return size
    left = int(fields.get("content-length", "0"))
    while left:
        data = await reader.read(min(left, 1 << 16))
        if not data:
            raise ConnectionError("the request ended too soon")
        sent.update(data)
        size += len(data)
        left -= len(data)
    return size
