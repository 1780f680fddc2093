"""lbd.admin.site: limits on connections and on the time that they take."""

import asyncio
import contextlib
import json
import socket
import ssl

import pytest
from aiohttp import web

from lbd.admin import app, site
from lbd.admin.site import AdminSite
from lbd.admin.tls import AdminTlsContext
from lbd.schema import AdminTls
from tests.admin.certificates import Authority


@pytest.fixture
async def opened(daemon, monkeypatch):
    """Opens an application; the port."""
    monkeypatch.setattr(site, "LINGER", 0.0)
    sites = []

    async def start(web_app=None, context=None):
        sock = socket.create_server(("127.0.0.1", 0))
        sites.append(AdminSite(web_app or app.admin(daemon, None), sock, context))
        await sites[-1].start()
        return sock.getsockname()[1]
    yield start
    for one in sites:
        await one.close()


@contextlib.asynccontextmanager
async def visit(port, sent=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(20):
        yield reader
    writer.close()


async def test_it_answers_on_its_socket_and_closes_it(daemon):
    sock = socket.create_server(("127.0.0.1", 0))
    made = AdminSite(app.metrics(daemon), sock)
    await made.start()
    async with visit(sock.getsockname()[1], b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as reader:
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    await made.close()
    assert sock.fileno() == -1


async def test_whoever_came_before_a_drain_is_answered(daemon):
    sock = socket.create_server(("127.0.0.1", 0))
    made = AdminSite(app.metrics(daemon), sock)
    await made.start()
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection(sock.getsockname())) for _ in range(100)]
        for client in waiting:   # the loop has had no turn: all of them wait to be accepted
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await made.drain()
        assert sock.fileno() == -1
        await made.close()
        for client in waiting:
            client.settimeout(20)
            assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_drain_does_not_wait_for_long_for_who_asks_nothing(daemon, monkeypatch):
    monkeypatch.setattr(site, "DRAIN_TIME", 0.0)
    sock = socket.create_server(("127.0.0.1", 0))
    made = AdminSite(app.metrics(daemon), sock)
    await made.start()
    with socket.create_connection(sock.getsockname()):
        await made.drain()
        await made.close()


@pytest.mark.parametrize("sent", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
    b"GET / HTTP/1.1\r\nA: " + b"b" * 5000 + b"\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"])
async def test_what_is_no_request_is_refused_in_the_same_shape(opened, daemon, sent):
    async with visit(await opened(), sent) as reader:
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"application/problem+json" in head
    assert b"Server: lbd\r\n" in head + b"\r\n"
    assert json.loads(body)["status"] == 400
    assert daemon.forced == []


async def test_a_slow_head_is_cut(opened, monkeypatch):
    monkeypatch.setattr(site, "IDLE_TIMEOUT", 0.05)
    async with visit(await opened(), b"GET / HTTP/1.1\r\nHost: ") as reader:
        assert await reader.read() == b""


async def test_a_flood_of_connections_makes_room_by_the_oldest(opened, monkeypatch):
    monkeypatch.setattr(site, "MAX_CONNECTIONS", 3)
    asked = asyncio.Event()
    answer = asyncio.Event()

    async def slow(_request):
        asked.set()
        await answer.wait()
        return web.Response(text="done")

    web_app = web.Application()
    web_app.router.add_get("/slow", slow)
    port = await opened(web_app)
    async with visit(port, b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as busy:
        await asked.wait()
        async with visit(port) as oldest, visit(port) as other, visit(port) as newest:
            with contextlib.suppress(ConnectionResetError):
                assert await oldest.read() == b""
            assert not other.at_eof()
            assert not newest.at_eof()
            answer.set()
            assert (await busy.read()).endswith(b"done")   # it was older, but is being answered


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    """TLS for a server and for a client that trusts it."""
    authority = Authority(tmp_path_factory.mktemp("ca"))
    context = AdminTlsContext(AdminTls(authority.certificate("lbd", "IP:127.0.0.1"))).context
    return context, ssl.create_default_context(cafile=authority.ca)


@pytest.mark.parametrize("make", [app.metrics, lambda daemon: app.admin(daemon, None)])
async def test_connections_that_never_shake_hands_are_bounded(opened, contexts, daemon, monkeypatch, make):
    monkeypatch.setattr(site, "MAX_CONNECTIONS", 20)
    monkeypatch.setattr(site, "HANDSHAKE_TIMEOUT", 600.0)
    context, client = contexts
    port = await opened(make(daemon), context)
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)   # accepted after all of them
    async with asyncio.timeout(20):
        for oldest, _ in silent[:81]:
            with contextlib.suppress(ConnectionResetError):
                assert await oldest.read() == b""
    assert not any(newest.at_eof() for newest, _ in silent[81:])
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    for _, used in [*silent, (reader, writer)]:
        used.close()


async def test_a_handshake_that_takes_too_long_or_fails_is_cut_and_counted_out(opened, contexts, monkeypatch):
    monkeypatch.setattr(site, "HANDSHAKE_TIMEOUT", 0.05)
    gone = asyncio.Queue()
    remove = AdminSite.remove
    monkeypatch.setattr(AdminSite, "remove", lambda self, left: (remove(self, left), gone.put_nowait(left)))
    port = await opened(context=contexts[0])
    for sent in (b"", b"\x16\x03", b"GET / HTTP/1.1\r\n\r\n"):
        async with visit(port, sent) as reader:
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        await gone.get()


async def test_an_answer_that_nobody_reads_is_let_go(opened, monkeypatch):
    monkeypatch.setattr(site, "STALL_INTERVAL", 0.05)
    cut = asyncio.Event()
    monkeypatch.setattr(site.AdminConnection, "cut", lambda self: (self.transport.abort(), cut.set()))

    async def large(_request):
        return web.Response(body=bytes(32 << 20))

    web_app = web.Application()
    web_app.router.add_get("/", large)
    async with visit(await opened(web_app), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        await cut.wait()
