"""A large fleet that registers, beats and leaves under load, while the daemon reloads."""

import asyncio
import json
import os
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lbd_process import Lbd, until
from load import Load

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
registration = { networks = ["127.0.0.0/8"] }
health = { type = "http", path = "/healthz", interval = "2s", timeout = "5s", rise = 1 }
[backends.app.servers]
"""
BEAT = 5.0   # seconds


class Answers(asyncio.Protocol):
    """A server that says 200 to everything."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * data.count(b"\r\n\r\n"))


class Fleet:
    """Servers at different loopback addresses and one port; `said` counts what the daemon answered them."""

    def __init__(self, socket, port, count, span):
        self.said = Counter()
        self._socket = socket
        self._port = port
        self._count = count
        self._span = span

    async def ask(self, method, target, body=None):
        reader, writer = await asyncio.open_unix_connection(self._socket)
        data = json.dumps(body).encode() if body is not None else b""
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return int(head.split()[1]), json.loads(answer)

    async def come_and_go(self):
        """All of them within the span, each for as long as the span."""
        await asyncio.gather(*(self._live(number) for number in range(self._count)))

    async def _live(self, number):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._span * number / self._count)
        place, end = f"/v1/backends/app/servers/s{number}", loop.time() + self._span
        offer = {"address": f"127.0.{1 + number // 250}.{number % 250 + 1}:{self._port}", "ttl": "60s"}
        while (left := end - loop.time()) > 0:
            self.said["PUT", (await self.ask("PUT", place, offer))[0]] += 1
            await asyncio.sleep(min(BEAT, left))
        self.said["DELETE", (await self.ask("DELETE", f"{place}?wait=60s"))[0]] += 1


@asynccontextmanager
async def answering():
    """The port of such a server at every loopback address."""
    server = await asyncio.get_running_loop().create_server(Answers, "0.0.0.0", 0, backlog=4096)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def processor_time(pid):
    """Seconds that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def reloads(lbd, text):
    """Another configuration every two seconds."""
    for number in range(10_000):
        await asyncio.sleep(2.0)
        lbd.write(f'{text}\n[timeouts]\nserver = "{60 + number}s"\n')


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_all_come_and_go(capsys):
    count, span = 500, 20.0     # seconds
    async with answering() as port:
        text = TEXT + f'a = "127.0.0.1:{port}"\n'
        with Lbd(text) as lbd:
            fleet = Fleet(f"{lbd.path}/admin.sock", port, count, span)
            await asyncio.to_thread(until, lambda: lbd.get("web")[0] == 200, "it serves")
            loop, editing = asyncio.get_running_loop(), asyncio.ensure_future(reloads(lbd, text))
            async with Load(lbd.port("web"), 8) as load:
                began, used = loop.time(), processor_time(lbd.pid)
                await fleet.come_and_go()
                share = (processor_time(lbd.pid) - used) / (loop.time() - began)
                editing.cancel()
            left = (await fleet.ask("GET", "/v1/backends/app"))[1]["servers"]
            generation = (await fleet.ask("GET", "/v1/status"))[1]["generation"]
    with capsys.disabled():
        print(f"\n{count} servers: {share:.0%} of a processor in the supervisor, {load.total} requests, "
              f"generation {generation}")
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
    assert {status for _, status in fleet.said} == {200, 201}
    assert (fleet.said["PUT", 201], fleet.said["DELETE", 200]) == (count, count)
    assert list(left) == ["a"]
    assert generation > 1
