"""How soon a place that one worker frees is used by another, in which a request waits: `python -m tests.bench.wake`.

A server that may have one connection is asked through both workers in turn. Measured is the time from its answer
to one request to its receipt of the next, which came through the other worker: the answer's way, the end of that
connection, waking the other worker, and a new connection.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import uvloop

from tests.system.lbd_process import Lbd, until

SETTLE = 0.003      # seconds after which a request that was sent waits in its worker
LIMIT = 10.0        # seconds that any step may take
REQUEST = b"GET / HTTP/1.1\r\nHost: bench.example\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
timeouts.queue = "10s"
servers = {{ one = {{ address = "127.0.0.1:{port}", max_conns = 1 }} }}
"""


class Server(asyncio.Protocol):
    """Hands each request to `asked`, with the moment at which it came."""

    def __init__(self, asked: asyncio.Queue[tuple["Server", float]]) -> None:
        self.asked = asked

    def connection_made(self, transport: Any) -> None:      # uvloop's inherits nothing of asyncio's
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.asked.put_nowait((self, time.perf_counter()))

    def answer(self) -> float:
        """Answer; returns when."""
        now = time.perf_counter()
        self.transport.write(ANSWER)
        return now


class Client:
    """A connection through one worker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def ask(self) -> None:
        self.writer.write(REQUEST)

    async def answered(self) -> None:
        await self.reader.readuntil(b"\r\n\r\nok")


async def through_both(lbd: Lbd, asked: asyncio.Queue[tuple[Server, float]]) -> list[Client]:
    """A client of each worker."""
    clients: dict[int, Client] = {}
    while len(clients) < 2:
        before = {worker["slot"]: worker["requests"] for worker in lbd.status()["workers"]}
        async with asyncio.timeout(LIMIT):
            client = Client(*await asyncio.open_connection("127.0.0.1", lbd.port("web")))
            client.ask()
            (await asked.get())[0].answer()
            await client.answered()
        slot, = until(lambda before=before: [worker["slot"] for worker in lbd.status()["workers"]
                                             if worker["requests"] > before[worker["slot"]]], "counted")
        if slot in clients:
            client.writer.close()
        clients.setdefault(slot, client)
    return list(clients.values())


async def measure(rounds: int) -> list[float]:
    """Seconds of so many hand-overs, sorted."""
    asked: asyncio.Queue[tuple[Server, float]] = asyncio.Queue()
    server = await asyncio.get_running_loop().create_server(lambda: Server(asked), "127.0.0.1", 0)
    found = []
    with Lbd(TEXT.format(port=server.sockets[0].getsockname()[1]), executed=True) as lbd:
        holder, waiter = await through_both(lbd, asked)
        holder.ask()
        serving, _ = await asked.get()
        for _ in range(rounds):
            async with asyncio.timeout(LIMIT):
                waiter.ask()
                await asyncio.sleep(SETTLE)
                freed = serving.answer()
                serving, taken = await asked.get()
                found.append(taken - freed)
                await holder.answered()
                holder, waiter = waiter, holder
        serving.answer()
        await holder.answered()
        for client in (holder, waiter):
            client.writer.close()
    server.close()
    return sorted(found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.bench.wake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    found = uvloop.run(measure(parser.parse_args(arguments).rounds))
    within = sum(seconds <= 0.005 for seconds in found) / len(found)
    print(f"{len(found)} hand-overs: median {statistics.median(found) * 1000:.2f} ms, "
          f"p99 {found[int(len(found) * 0.99)] * 1000:.2f} ms, longest {found[-1] * 1000:.2f} ms, "
          f"{within:.1%} within 5 ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
