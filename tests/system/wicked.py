"""A server in a thread of this process that misbehaves as it is told, and counts what it gets."""

import asyncio
import socket
import struct
import threading
from collections import Counter

import uvloop

from tests.system.lbd_process import free_port

DEADLINE = 20.0


class Wicked:
    """`manner` is one of the methods below, or `serve`, and may change at any time.

    `got` counts requests by method, `busy` is how many are in hand and `most` how many were at a time; `open` and
    `most_open` the same of connections. Every request takes `seconds`. `cut` resets a connection, and `cuts` counts
    those that had a request in hand.
    """

    def __init__(self, manner: str = "serve", seconds: float = 0.0) -> None:
        self.manner = manner
        self.seconds = seconds
        self.got: Counter[str] = Counter()
        self.cuts = 0
        self.busy = self.most = self.open = self.most_open = 0
        self.port = 0
        self._up = threading.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._at_work: dict[asyncio.StreamWriter, bool] = {}    # open connections: is a request in hand?
        self._thread = threading.Thread(target=lambda: uvloop.run(self._run()), name=f"wicked {manner}")

    def __enter__(self) -> "Wicked":
        self._thread.start()
        assert self._up.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Cut every connection and close the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def cut(self) -> None:
        """Reset the connection that is open for longest, rather one with a request in hand."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        writer = next((writer for writer, busy in self._at_work.items() if busy), next(iter(self._at_work), None))
        if writer is not None:
            self.cuts += self._at_work[writer]
            _reset_on_close(writer)
            writer.transport.abort()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", free_port(), backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._over.wait()
        server.close()
        await asyncio.sleep(0)          # connections that were just accepted get their tasks
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._tasks.append(self._loop.create_task(self._accept(reader, writer)))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self._at_work[writer] = False
        self.most_open = max(self.open, self.most_open)
        try:
            while self.manner != "slam":
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
                await reader.readexactly(length)
                self.got[head.partition(" ")[0]] += 1
                self.busy += 1
                self._at_work[writer] = True
                self.most = max(self.busy, self.most)
                try:
                    await asyncio.sleep(self.seconds)
                finally:
                    self.busy -= 1
                    self._at_work[writer] = False
                if head.split()[1] == "/healthz" and self.manner != "hang":
                    self.serve(writer)
                else:
                    await (getattr(self, self.manner)(writer) or asyncio.sleep(0))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            del self._at_work[writer]
            writer.close()

    def serve(self, writer: asyncio.StreamWriter) -> None:
        """Answer well."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def third(self, writer: asyncio.StreamWriter) -> None:
        """Answer 503 to every third request."""
        if self.got.total() % 3:
            self.serve(writer)
        else:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")

    def hang(self, writer: asyncio.StreamWriter) -> "asyncio.Future[None]":
        """Take the request and never answer."""
        return self._loop.create_future()

    def stall(self, writer: asyncio.StreamWriter) -> "asyncio.Future[None]":
        """Answer with a head, and never with its body."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        return self._loop.create_future()

    def close(self, writer: asyncio.StreamWriter) -> None:
        """Take the request and close."""
        writer.close()
        raise ConnectionError

    def reset(self, writer: asyncio.StreamWriter) -> None:
        """Take the request and reset the connection."""
        _reset_on_close(writer)
        self.close(writer)

    def garbage(self, writer: asyncio.StreamWriter) -> None:
        """Answer with something that is not HTTP."""
        writer.write(b"\x16\x03\x01 what?\r\n\r\n")


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Silent:
    """A port where connects are never answered: its backlog is full."""

    def __init__(self) -> None:
        self._socks = [socket.socket() for _ in range(4)]

    def __enter__(self) -> "Silent":
        listening, *waiting = self._socks
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        self.port = listening.getsockname()[1]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listening.getsockname())
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._socks:
            sock.close()
