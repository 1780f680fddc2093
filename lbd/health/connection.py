"""An HTTP/1.1 connection to a server that is checked (RFC 9112): one request at a time, answers are read as strictly
as those for clients, by the same scanner."""

import asyncio
from dataclasses import dataclass
from typing import Any

from lbd.health.check import Secured
from lbd.health.dial import dial
from lbd.http import head
from lbd.schema.units import Address

LONGEST_HEAD = 64 * 1024   # bytes
MOST_FIELDS = 256
LOOKED_AT = 64 * 1024      # bytes of a body that are looked at


@dataclass(frozen=True, slots=True)
class CheckResponse:
    """A response: its head, and the first `LOOKED_AT` bytes of its body where it is wanted."""

    status: int
    head: bytes
    body: bytes = b""


class BadResponse(ValueError):
    """The bytes received are no HTTP/1 response."""


class Lost(ConnectionError):
    """The connection ended before the answer did; `begun` when some of it had come."""

    def __init__(self, begun: bool, what: str = "connection closed") -> None:
        self.begun = begun
        super().__init__(what)


class Connection(asyncio.Protocol):
    """A connection for checks: `reusable` once an answer was read to its end and the server keeps it open."""

    def __init__(self) -> None:
        self.reusable = False
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._scanner = head.Response(LONGEST_HEAD, MOST_FIELDS)
        self._answer: asyncio.Future[CheckResponse] | None = None
        self._data = b""
        self._body = bytearray()
        self._found: CheckResponse | None = None
        self._chunks: head.Chunks | None = None
        self._left = 0
        self._keep = self._for_head = self._to_end = self._wanted = False

    @staticmethod
    async def open(address: Address, greeting: bytes = b"", secured: Secured | None = None) -> "Connection":
        """Connect, send the greeting, and begin TLS if `secured`; raises `OSError`."""
        loop = asyncio.get_running_loop()
        later = greeting and secured is not None
        tls: Any = {"ssl": secured[0], "server_hostname": secured[1]} if secured is not None and not later else {}
        connection: Connection
        transport, connection = await dial(Connection, address, **tls)
        if greeting:
            connection._transport.write(greeting)
        if later and secured is not None:
            connection._transport = await loop.start_tls(
                transport, connection, secured[0], server_hostname=secured[1])
        return connection

    async def send_request(self, request: bytes, deadline: float, for_head: bool, to_end: bool,
                           wanted: bool) -> CheckResponse:
        """Send a request and wait for its answer until `deadline`, in the loop's time. `for_head`: the method is HEAD;
        `to_end`: read the answer to its end, so that the connection may be used again; `wanted`: the body is looked at.

        Raises `BadResponse`, `Lost`, `TimeoutError`, or another `OSError`.
        """
        self.reusable = False
        self._for_head, self._to_end, self._wanted = for_head, to_end, wanted
        self._data, self._body, self._found, self._chunks = b"", bytearray(), None, None
        if self._transport is None or self._transport.is_closing():
            raise Lost(False)
        self._answer = self._loop.create_future()
        self._transport.write(request)
        timer = self._loop.call_at(deadline, self._expire)
        try:
            return await self._answer
        finally:
            timer.cancel()
            self._answer = None

    def close(self) -> None:
        """Close the connection at once, without a TIME_WAIT."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        """Note that the connection is established."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read more of the answer; unexpected bytes end the connection."""
        if self._answer is None or self._answer.done():
            self.close()
        elif self._found is not None:
            self._more(self._found, data)
        else:
            self._data += data
            self._read()

    def eof_received(self) -> bool:
        """End an answer that ends with the connection."""
        found = self._found
        if found is not None and self._chunks is None and self._left < 0:
            self._end(found)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the answer that is awaited: the connection is gone."""
        self._transport = None
        self.reusable = False
        begun = bool(self._data or self._found)
        self._fail(Lost(begun) if exc is None else Lost(begun, "connection reset"))

    def _read(self) -> None:
        """Read until there is a final head."""
        scanner = self._scanner
        while flags := scanner.scan(self._data, 0, self._for_head, 1, True):
            message = scanner.message
            if flags < 0 or message.status == 101:
                self._fail(BadResponse(scanner.error or "101 was not asked for"))
                return
            rest = self._data[scanner.head:]
            if message.status < 200:
                self._data = rest
                continue
            found = self._found = CheckResponse(message.status, message.text)
            self._keep = bool(flags & head.KEEP and not flags & head.MORE)
            self._left = message.length if flags & head.LENGTH else -1 if flags & head.UNTIL_CLOSE else 0
            self._chunks = head.Chunks(True, 0) if flags & head.CHUNKED else None
            if not (self._to_end or self._wanted) or (self._chunks is None and not self._left):
                self._keep = self._keep and self._chunks is None and not self._left
                self._end(found)
            elif rest:
                self._more(found, rest)
            return

    def _more(self, found: CheckResponse, data: bytes) -> None:
        """Read more of the body."""
        ended = False
        if self._chunks is not None:
            result = self._chunks.feed(data, 0)
            if result < 0:
                self._fail(BadResponse(self._chunks.error))
                return
            self._body += self._chunks.out
            ended = result > 0
        else:
            self._body += data
            if self._left > 0:
                self._left = max(self._left - len(data), 0)
                ended = not self._left
        if not ended and len(self._body) >= LOOKED_AT:
            self._keep = False   # too long to be read to its end
            ended = True
        if ended:
            self._end(found)

    def _end(self, found: CheckResponse) -> None:
        if self._answer is not None and not self._answer.done():
            self.reusable = self._keep
            self._answer.set_result(CheckResponse(found.status, found.head, bytes(self._body[:LOOKED_AT])))

    def _expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
