"""`python -m tests.fuzz.connections`: clients and servers that break off anywhere, against the sanitized daemon.

Each connection is one of a plain listener, one with TLS, a tunnel behind an upgrade, or one in tcp mode; both its ends
send, stall, half-close, close and reset at points that the seed draws. No report of a sanitizer, no dead worker and no
request left in flight may come of it.
"""

import argparse
import asyncio
import random
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.authority import Authority
from tests.fuzz import sanitized
from tests.system.lbd_process import Lbd, until

TEXT = """
[timeouts]
client_header = "2s"
client_idle = "2s"
client_body = "2s"
connect = "1s"
server = "2s"
server_idle = "1s"
tunnel = "2s"
half_closed = "1s"
queue = "1s"
[listeners.plain]
bind = "127.0.0.1:$plain"
backend = "app"
[[listeners.plain.routes]]
path_prefix = "/s"
backend = "sticky"
[listeners.secure]
bind = "127.0.0.1:$secure"
backend = "app"
tls = {{ certificates = ["{directory}/live.pem"] }}
[listeners.tcp]
bind = "127.0.0.1:$tcp"
mode = "tcp"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:{port}"
b = "127.0.0.1:{port}"
[backends.sticky]
sticky = true
queue = 8
request_headers = {{ set = {{ X-Set = "1" }}, remove = ["X-Gone"] }}
[backends.sticky.servers]
a = {{ address = "127.0.0.1:{port}", max_conns = 8 }}
"""
BULK = random.Random(0).randbytes(1 << 20)
LIMIT = 12.0        # seconds of one connection
STRINGS = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /s HTTP/1.1\r\nHost: a\r\nX-Gone: 1\r\nCookie: LBD=x; a=b\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /s HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + BULK[:70000],
    b"POST /s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10000\r\n" + BULK[:65536]
    + b"\r\n0\r\nX-Trailer: a\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + BULK[:300_000],
    b"GET / HTTP/1.1\r\nHost: a b\r\nX: \x01\r\n\r\n", BULK[:1000],
)
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + BULK[:300_000],
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + BULK[:131072] + b"\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n" + BULK[:100_000],
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + BULK,
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + BULK * 8, BULK * 8,
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n", BULK[:5000],
    b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
)


class Ends:
    """The behaviour of both ends of connections; `ended` counts how they ended."""

    def __init__(self, seed: int, trust: ssl.SSLContext) -> None:
        self.dice = random.Random(seed)
        self.trust = trust
        self.ended: Counter[str] = Counter()

    async def client(self, where: str, port: int) -> None:
        """A client's connection."""
        secure = self.trust if where == "secure" else None
        try:
            async with asyncio.timeout(LIMIT):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=secure, server_hostname="fuzz.test" if secure else None, limit=1 << 19)
                await self._play(reader, writer, self.dice.choice(STRINGS))
            self.ended[f"{where} well"] += 1
        except (OSError, TimeoutError) as error:
            self.ended[f"{where} {type(error).__name__}"] += 1

    async def server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that lbd opened."""
        try:
            async with asyncio.timeout(LIMIT):
                if self.dice.random() < 0.9:
                    await reader.read(self.dice.choice((1, 100, 1 << 16)))
                for _ in range(self.dice.choice((1, 1, 3))):
                    await self._play(reader, writer, self.dice.choice(ANSWERS), self.dice.random() < 0.5)
        except (OSError, TimeoutError):
            self.ended["server broken"] += 1
        finally:
            writer.close()

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes,
                    whole: bool = False) -> None:
        """Send the text in pieces, up to a point, and do this and that in between; then end in one of many ways."""
        dice = self.dice
        until_here = len(text) if whole or dice.random() < 0.6 else dice.randint(0, len(text))
        at = 0
        while at < until_here and not writer.is_closing():
            size = dice.choice((1, 7, 300, 1 << 16, 1 << 20))
            writer.write(text[at:min(at + size, until_here)])
            at += size
            await self._step(reader, writer)
        ending = dice.choice(("read", "read", "shut", "reset", "close", "stall", "shut-reset"))
        if ending == "shut-reset":       # in the middle of a long stream that is spliced, as far as there is one
            await self._drink(reader, dice.choice((0, 1 << 16, 3 << 20, 5 << 20)))
        if ending in ("shut", "shut-reset") and writer.can_write_eof():
            writer.write_eof()
            whole = False
        if ending == "stall":
            await asyncio.sleep(dice.uniform(0, 0.4))
        if ending in ("read", "shut"):
            await asyncio.wait_for(reader.read(dice.choice((1, 1000, 1 << 20))), 4)
        if ending == "shut-reset":
            await asyncio.sleep(dice.choice((0, 0.05, 0.4)))
        if whole and ending != "reset":
            return
        self._end(writer, ending in ("reset", "shut-reset"))

    @staticmethod
    async def _drink(reader: asyncio.StreamReader, size: int) -> None:
        """Read so much, or to the end, or until nothing comes for a while."""
        with suppress(TimeoutError):
            while size > 0 and (piece := await asyncio.wait_for(reader.read(1 << 18), 0.5)):
                size -= len(piece)

    async def _step(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        draw = self.dice.random()
        if draw < 0.1:
            await asyncio.sleep(self.dice.uniform(0, 0.05))
        elif draw < 0.2:
            await asyncio.wait_for(writer.drain(), 3)
        elif draw < 0.25 and not reader.at_eof():
            await asyncio.wait_for(reader.read(self.dice.choice((1, 5000))), 3)

    @staticmethod
    def _end(writer: asyncio.StreamWriter, hard: bool) -> None:
        sock = writer.get_extra_info("socket")
        if hard and sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()


async def play(lbd: Lbd, ends: Ends, count: int, seconds: float, at_once: int) -> int:
    """So many connections, or as many as that time allows; returns how many there were."""
    left, begun = count, time.monotonic()

    async def one() -> None:
        nonlocal left
        while left > 0 and time.monotonic() < begun + seconds:
            left -= 1
            where = ends.dice.choice(("plain", "plain", "plain", "secure", "tcp", "tcp"))
            await ends.client(where, lbd.port(where))

    async def tell() -> None:
        while True:
            await asyncio.sleep(30)
            print(f"{time.monotonic() - begun:6.0f} s  {count - left:,} connections", flush=True)

    told = asyncio.ensure_future(tell())
    await asyncio.gather(*(one() for _ in range(at_once)))
    told.cancel()
    return count - left


async def run(tree: Path, directory: Path, count: int, seconds: float, seed: int) -> list[str]:
    """Everything; returns what was found."""
    log = directory / "report"
    authority = Authority(directory)
    authority.issue("live.pem", "fuzz.test")
    ends = Ends(seed, ssl.create_default_context(cafile=str(authority.file)))
    server = await asyncio.start_server(ends.server, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    lbd = Lbd(TEXT.format(directory=directory, port=port), environment=sanitized.environment(tree, log))
    found = []
    try:
        await asyncio.to_thread(lbd.start)
        before = lbd.workers()
        assert all("libasan" in Path(f"/proc/{pid}/maps").read_text() for pid in before)
        assert all(f"{tree}/lbd/net/stream" in Path(f"/proc/{pid}/maps").read_text() for pid in before)
        number = await play(lbd, ends, count, seconds, 24)
        await asyncio.to_thread(until, lambda: not busy(lbd), "nothing in flight, no connection left", 30.0)
        if lbd.workers() != before:
            found.append(f"workers died: {before} before, {lbd.workers()} after")
        code = await asyncio.to_thread(lbd.stop)
        if code:
            found.append(f"exit code {code}")
        print(f"{number:,} connections, seed {seed}: {dict(ends.ended)}", flush=True)
    except AssertionError as error:
        found.append(f"{error}: {busy(lbd)}")
    finally:
        said = lbd.log()
        lbd.close()
        server.close()
    found += [line for line in said.splitlines() if any(word in line for word in ("Traceback", *sanitized.REPORTS))]
    if report := sanitized.reports(log):
        found.append(report)
    return found


def busy(lbd: Lbd) -> list[str]:
    """Gauges that are not 0."""
    names = ("lbd_server_in_flight{", "lbd_backend_in_flight{", "lbd_backend_queue{", "lbd_listener_connections{")
    return [line for line in lbd.metrics().splitlines() if line.startswith(names) and float(line.rsplit(" ", 1)[1])]


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.fuzz.connections", description=__doc__)
    parser.add_argument("--connections", type=int, default=3000, help="how many (default: 3000)")
    parser.add_argument("--seconds", type=float, default=3600.0, help="at most so long (default: an hour)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--tree", type=Path, help="a tree that is built already; default: build one")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    if not sanitized.runtime():
        print("gcc and its sanitizers are not here")
        return 2
    with tempfile.TemporaryDirectory(prefix="lbd-fuzz-") as name:
        directory = Path(name)
        if asked.tree is None:      # in the tree of its own: what lies in the working directory is imported first
            tree = sanitized.build(directory)
            return subprocess.run([sys.executable, "-m", "tests.fuzz.connections", *sys.argv[1:], "--seed",
                                   str(asked.seed), "--tree", str(tree)], cwd=tree).returncode
        found = asyncio.run(run(asked.tree, directory, asked.connections, asked.seconds, asked.seed))
    for what in found:
        print(f"FOUND {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
