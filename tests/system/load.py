"""A load of GET requests from a thread of this process, which tells apart what was answered, lost and refused."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import uvloop

DEADLINE = 20.0
PAUSE = 0.005     # seconds between two requests of a client, so that some processor is left for those under test


class Load:
    """So many connections to a port, each asking again and again while the `with` block runs.

    `answered` counts responses by status; `lost` requests whose connection ended before the whole answer, `refused`
    connects that failed. With `once` every request has a connection of its own. `note` gets when a request was sent
    and answered (monotonic), and the body of the answer.
    """

    def __init__(self, port: int, connections: int = 16, once: bool = False, path: str = "/load",
                 note: Callable[[float, float, bytes], None] = lambda sent, answered, body: None) -> None:
        self.answered: Counter[int] = Counter()
        self.lost = 0
        self.refused = 0
        self._port = port
        self._connections = connections
        self._once = once
        self._request = f"GET {path} HTTP/1.1\r\nHost: lbd.test\r\n\r\n".encode()
        self._note = note
        self._over = False
        self._thread = threading.Thread(target=lambda: uvloop.run(self._run()), name="load")

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    async def __aenter__(self) -> "Load":
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        """As `__exit__`, while the loop goes on: it may hold the server that the last requests wait for."""
        await asyncio.to_thread(self.__exit__)

    @property
    def total(self) -> int:
        """Every answer of any status."""
        return sum(self.answered.values())

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self._connections)))

    async def _client(self) -> None:
        while not self._over:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.refused += 1
                await asyncio.sleep(0.01)
                continue
            try:
                keep = True
                while keep and not self._over:
                    keep = await self._ask(reader, writer)
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Make a request; false when the connection is of no further use."""
        try:
            async with asyncio.timeout(DEADLINE):
                sent = time.monotonic()
                writer.write(self._request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.lost += 1
            return False
        self.answered[int(head[9:12])] += 1
        self._note(sent, time.monotonic(), body)
        await asyncio.sleep(PAUSE)
        return not self._once and b"\r\nconnection: close\r\n" not in head


def connect(port: int, buffer: int | None = None) -> socket.socket:
    """A raw connection, with a deadline on everything; `buffer` bounds what the kernel receives unread, in bytes."""
    sock = socket.socket()
    sock.settimeout(DEADLINE)
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect(("127.0.0.1", port))
    return sock


def ask(sock: socket.socket, path: str = "/") -> bytes:
    """Send a request on a raw connection."""
    data = f"GET {path} HTTP/1.1\r\nHost: lbd.test\r\n\r\n".encode()
    sock.sendall(data)
    return data


def answer(sock: socket.socket) -> tuple[int, bytes]:
    """Read one answer with a Content-Length; raises `ConnectionError` when it is cut."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _some(sock)
    return int(head[9:12]), body


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the connection ended in the middle of an answer")
    return data
