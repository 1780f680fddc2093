"""The fast path does what the general methods do, and plain exchanges touch none of those."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from lbd.proxy.client import Client
from lbd.stats import endings, fields, scoreboard
from lbd.upstream import fast_path
from lbd.upstream.upstream import Upstream
from tests.proxy.conftest import CONFIG, Connect, Simple
from tests.proxy.rig import Peer, Rig, Stage, answer, configuration, request, warm

GENERAL = ((Client, ("receive", "read", "judge", "dispatch", "select", "forward", "connected", "finish", "advance")),
           (Upstream, ("receive", "unusual", "ended", "unbroken")))
CLOSE = "Connection: close"
HEAD = answer(b"12345").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
GET, OK = request("/a?b=c", "X-Own: 1"), answer(b"hello")

Exchange = tuple[bytes, bytes, int]      # what the client sends, what the server answers, and how many heads come of it

PLAIN: Exchange = (GET, OK, 1)
EXCHANGES: dict[str, list[Exchange]] = {
    "plain": [PLAIN] * 4,
    "methods": [(request(method=method), HEAD if method == "HEAD" else OK, 1)
                for method in ("GET", "PUT", "HEAD", "DELETE", "OPTIONS", "POST", "PATCH", "OWN", "GET")],
    "bodies": [PLAIN, (request(method="POST", body=b"x" * 5000), OK, 1), PLAIN],
    "statuses": [(GET, b"HTTP/1.1 %b\r\n\r\n" % status, 1) for status in (b"204 No Content", b"304 Not Modified")]
    + [(GET, answer(b"sorry", status=status), 1) for status in ("404 Not Found", "500 Oh", "503 No")] + [PLAIN],
    "the server closes": [PLAIN, (GET, answer(b"hello", CLOSE), 1), PLAIN, PLAIN],
    "the client closes": [PLAIN, (request("/", CLOSE), OK, 1)],
    "HTTP/1.0": [PLAIN, (b"GET / HTTP/1.0\r\nHost: e\r\nConnection: keep-alive\r\n\r\n", OK, 1), PLAIN],
    "interim": [PLAIN, (GET, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, 2), PLAIN],
    "refused": [PLAIN, (request("/", "X:"), OK, 1), (request("/", "Expect: 100-continue"), OK, 1), PLAIN],
}
SETTINGS = {name: (text, more) for name, text, more in (
    ("none", "", ""),
    ("round-robin", 'algorithm = "round-robin"', ""),
    ("least-time", 'algorithm = "least-time"', ""),
    ("url-hash", 'algorithm = "url-hash"', ""),
    ("sticky", "sticky = true", ""),
    ("max_requests", "max_requests = 2", ""),
    ("max_idle", "max_idle = 0", ""),
    ("max_in_flight", "max_in_flight = 1", ""),
    ("response edits", 'response_headers = { set = { X-Edited = "1" }, remove = ["Server"] }', ""),
    ("request edits", 'request_headers = { add = { X-More = "1" } }', ""),
    ("log", "", '\n[log]\naccess = "/dev/null"\n'),
    ("routes", "", '\n[[listeners.web.routes]]\npath_prefix = "/a"\nbackend = "app"\n'),
)}
LEFT = ("state", "keep", "sent", "whole", "minor", "head_only", "upgrade", "payload", "buffer", "bytes_in", "bytes_out",
         "server", "upstream", "tried", "congested", "kept", "unsent")
RESTING = ("mode", "client", "keep", "full", "buffer", "turns", "left")


def masked(data: bytes) -> bytes:
    """Without what differs from one request to the next, or from one second to the next."""
    data = re.sub(rb"(?<=\r\nDate: )(?!Sun, 06 Nov 1994 )[^\r]+", b"now", data)
    return re.sub(rb"(?i)(x-request-id: |lbd[\w-]*=)[\w.-]+", rb"\1", data)


def figures(rig: Rig) -> list[float]:
    """The counters, without times."""
    counted = [(scoreboard.PROCESS, range(fields.PROCESS_ENDINGS, fields.PROCESS_ENDINGS + len(endings.ENDINGS))),
               (scoreboard.SERVER, [*range(fields.SERVER_HEAD_SECONDS), fields.SERVER_FAILURES]),
               (scoreboard.ROUTE, range(fields.ROUTE_BYTES_OUT + 1)),
               (scoreboard.BACKEND, [fields.BACKEND_IN_FLIGHT])]
    return [rig.board.total(kind, slot, field) for kind, some in counted for field in some for slot in range(3)
            if slot == 0 or kind == scoreboard.ROUTE]


class Serving:
    """Plays the server: one reply after another, on whatever connection a request comes."""

    def __init__(self, stage: Stage, replies: list[bytes]) -> None:
        self.seen: list[bytes] = []
        self._stage = stage
        self._replies = iter(replies)
        self._tasks = [asyncio.ensure_future(self._accept())]

    async def _accept(self) -> None:
        while True:
            peer = await self._stage.accepted.get()
            self._stage.peers.append(peer)
            self._tasks.append(asyncio.ensure_future(self._answer(peer)))

    async def _answer(self, peer: Peer) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.seen.append(masked(b"".join(await peer.message())))
                await peer.send(next(self._replies))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def conversation(backend: str, more: str, directory: Path, exchanges: list[Exchange]) -> list[Any]:
    """All that the server and the client see, and what is left and counted in the end."""
    rig, stage = Rig("sock"), await Stage().start()
    serving = Serving(stage, [reply for _, reply, _ in exchanges])
    text = CONFIG.format(listener="", backend=backend, address=stage.address)
    rig.start(configuration(text + more, directory))
    client = await Peer.connect(rig.address)
    seen: list[Any] = []
    try:
        for sent, _, heads in exchanges:
            await client.send(sent)
            seen += [masked(await client.head()) for _ in range(heads)]
            if b"Content-Length: 5" in seen[-1] and not sent.startswith(b"HEAD"):
                seen.append(await client.read(5))
        await rig.until(lambda: rig.in_flight() == 0)
        for held in rig.plane.timers.everyone():
            seen += [(name, getattr(held, name)) for name in LEFT] + [masked(held.original)]
        for server in rig.plane.in_force.backends["app"].servers.values():
            seen += [[getattr(resting, name) for name in RESTING] for resting in server.idle]
        return [*seen, *serving.seen, *figures(rig)]
    finally:
        await serving.close()
        client.close()
        stage.close()
        await rig.close()


@pytest.mark.parametrize("exchanges", EXCHANGES.values(), ids=EXCHANGES)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
async def test_it_does_what_the_general_methods_do(settings: tuple[str, str], exchanges: list[Exchange], tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    fast = await conversation(*settings, tmp_path, exchanges)
    monkeypatch.setattr(Client, "data_received", Client.receive)
    monkeypatch.setattr(Upstream, "data_received", Upstream.receive)
    assert fast == await conversation(*settings, tmp_path, exchanges)


async def test_a_plain_exchange_touches_none_of_the_general_methods(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    simple()
    client, server = await warm(connect, stage)
    for kind, names in GENERAL:
        for name in names:
            monkeypatch.setattr(kind, name, None)
    for _ in range(3):
        await client.send(GET)
        await server.head()
        await server.send(OK)
        assert (await client.message())[1] == b"hello"
    monkeypatch.undo()
    assert rig.ending("ok") == 4


async def test_what_is_no_client_is_left_to_the_general_methods() -> None:
    class Other:
        heard = b""

        def receive(self, data: bytes) -> str:
            self.heard += data
            return "received"

    other = Other()
    assert fast_path.request(other, b"x") == "received"     # type: ignore[comparison-overlap]
    assert other.heard == b"x"
