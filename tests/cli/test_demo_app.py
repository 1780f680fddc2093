"""lbd.cli.demo_app over a real socket: what it tells, and how it is told to behave."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import RawTestServer
from yarl import URL

from lbd.cli.demo_app import PIECE, Behaviour, DemoApp


class Site:
    """The demo server at an address, and a client."""

    def __init__(self, behaviour: Behaviour, client: aiohttp.ClientSession, base: str) -> None:
        self.behaviour = behaviour
        self.client = client
        self.base = base

    async def ask(self, method: str, path: str, **more: object) -> tuple[int, dict[str, object]]:
        async with self.client.request(method, URL(self.base + path, encoded=True), **more) as response:  # type: ignore[arg-type]
            return response.status, json.loads(await response.read() or b"{}")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    behaviour = Behaviour("one")
    app = DemoApp(behaviour, chance=lambda: 0.5)
    server = RawTestServer(app.handle, host="127.0.0.1")
    await server.start_server()
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        yield Site(behaviour, client, f"http://127.0.0.1:{server.port}")
    await server.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_says_what_it_received(site: Site, method: str) -> None:
    status, told = await site.ask(method, "/a%20b?x=1&y=%2F", data=b"hello", headers={"X-One": "1"})
    assert status == 200
    assert (told["server"], told["method"], told["path"], told["query"]) == ("one", method, "/a%20b", "x=1&y=%2F")
    assert (told["body_length"], told["body_sha256"]) == (5, hashlib.sha256(b"hello").hexdigest())
    assert told["headers"]["X-One"] == "1"  # type: ignore[index]
    assert told["client"] == "127.0.0.1"


async def test_a_client_that_waits_is_told_to_send(site: Site) -> None:
    url = URL(site.base)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
                 b"Expect: 100-continue\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ab")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"body_length": 2' in answer
    writer.close()


async def test_repeated_fields_are_joined(site: Site) -> None:
    _, told = await site.ask("GET", "/", headers=[("X-A", "1"), ("X-A", "2")])
    assert told["headers"]["X-A"] == "1, 2"  # type: ignore[index]


async def test_large_chunked_body_is_digested_as_it_comes(site: Site) -> None:
    piece = bytes(range(256)) * 256

    async def body() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield piece

    _, told = await site.ask("POST", "/", data=body())
    assert (told["body_length"], told["body_sha256"]) == (len(piece) * 40, hashlib.sha256(piece * 40).hexdigest())


async def test_head_has_the_length_and_no_body(site: Site) -> None:
    for size in (0, 3 * PIECE):
        site.behaviour.body_size = size
        async with site.client.head(site.base + "/") as response:
            assert response.status == 200
            assert int(response.headers["Content-Length"]) >= max(size, 1)
            assert await response.read() == b""
    assert (await site.ask("GET", "/"))[0] == 200


@pytest.mark.parametrize("size", [1, 500, 1024, PIECE, 3 * PIECE + 17])
async def test_body_size(site: Site, size: int) -> None:
    site.behaviour.body_size = size
    async with site.client.get(site.base + "/") as response:
        body = await response.read()
    assert len(body) == size or (size < 1024 and len(body) > size)
    assert json.loads(body)["server"] == "one"


async def test_error_rate(site: Site) -> None:
    site.behaviour.error_rate = 0.4
    assert (await site.ask("GET", "/"))[0] == 200
    site.behaviour.error_rate = 0.6
    assert await site.ask("GET", "/") == (500, {"server": "one", "error": "an error as ordered"})
    assert (await site.ask("GET", "/healthz"))[0] == 200


async def test_health_is_switched(site: Site) -> None:
    assert await site.ask("GET", "/healthz") == (200, {"server": "one", "ok": True})
    assert (await site.ask("POST", "/_demo/health", json={"ok": False}))[1]["healthy"] is False
    assert await site.ask("GET", "/healthz") == (503, {"server": "one", "ok": False})
    assert (await site.ask("GET", "/_demo/health"))[1]["healthy"] is False
    assert (await site.ask("POST", "/_demo/health?state=recover"))[1]["healthy"] is True
    assert (await site.ask("POST", "/_demo/health?state=fail"))[1]["healthy"] is False


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"ok": 1}', b'{"ok": null}', b" " * 5000])
async def test_a_bad_order_changes_nothing(site: Site, body: bytes) -> None:
    status, told = await site.ask("POST", "/_demo/health", data=body)
    assert (status, site.behaviour.healthy) == (400, True)
    assert "POST" in str(told["error"])
    assert (await site.ask("POST", "/_demo/health?state=maybe"))[0] == 400


async def test_behaviour_is_switched(site: Site) -> None:
    _, told = await site.ask("POST", "/_demo/delay?delay=3ms&jitter=1ms")
    assert (told["delay"], told["jitter"]) == (0.003, 0.001)
    assert (await site.ask("POST", "/_demo/errors?rate=5%25"))[1]["error_rate"] == 0.05
    assert (await site.ask("POST", "/_demo/body?size=1KiB"))[1]["body_size"] == 1024


@pytest.mark.parametrize("path", [
    "/_demo/delay?delay=1ms&jitter=3",
    "/_demo/delay?delay=1ms&speed=3",
    "/_demo/errors?rate=x",
])
async def test_a_bad_switch_changes_nothing(site: Site, path: str) -> None:
    status, told = await site.ask("POST", path)
    assert (status, site.behaviour.delay, site.behaviour.error_rate) == (400, 0.0, 0.0)
    assert "must be" in str(told["error"]) or "known: delay, jitter" in str(told["error"])


async def test_websocket_echo(site: Site) -> None:
    async with site.client.ws_connect(site.base + "/ws") as socket:
        await socket.send_str("hello")
        await socket.send_bytes(b"\0\1")
        assert await socket.receive_str() == "hello"
        assert await socket.receive_bytes() == b"\0\1"
    assert (await site.ask("GET", "/ws"))[1]["path"] == "/ws"
