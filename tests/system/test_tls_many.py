"""Many connections with TLS at once: what they cost while idle, and that they outlive reloads and certificates."""

import asyncio
import contextlib
import resource
import socket
import ssl
from pathlib import Path

import pytest
from lbd_process import DEADLINE, Lbd, until
from tls_site import NAME, TEXT
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from tests.authority import Authority


@pytest.mark.slow
def test_idle_connections_are_cheap(tmp_path: Path) -> None:
    """5000 of them, each with one answer, cost at most 20 KiB of resident memory each."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, hard[1]), hard[1]))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 6000:
        pytest.skip("not enough descriptors")

    authority = Authority(tmp_path)
    authority.issue("live.pem", NAME)
    context = ssl.create_default_context(cafile=str(authority.file))
    answering = 'routes = [{ respond = { body = "ok" } }]'
    lbd = Lbd(TEXT.format(path=tmp_path, port=1, tls="").replace('backend = "app"', answering, 1), executed=True)

    def resident() -> int:
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4 for pid in lbd.workers())

    open_ones: list[ssl.SSLSocket] = []

    def more(count: int) -> None:
        for _ in range(count):
            raw = socket.create_connection(("127.0.0.1", lbd.port("web")), DEADLINE)
            sock = context.wrap_socket(raw, server_hostname=NAME)
            open_ones.append(sock)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")

    with lbd:
        more(500)
        before = resident()
        more(5000)
        each = (resident() - before) / 5000
        for sock in open_ones:
            sock.close()
    assert each <= 20, f"{each:.1f} KiB each"


@pytest.mark.slow
async def test_websockets_outlive_reloads_and_certificates(tmp_path: Path) -> None:
    """1000 of them, half by TLS, through changed files of every kind: none is lost, and all still answer."""
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    authority = Authority(tmp_path)
    authority.issue("live.pem", NAME)
    context = ssl.create_default_context(cafile=str(authority.file))
    async with serve(echo, "127.0.0.1", 0, compression=None) as server, contextlib.AsyncExitStack() as stack:
        port = server.sockets[0].getsockname()[1]
        text = TEXT.format(path=tmp_path, port=port, tls="")
        lbd = Lbd(text)
        stack.callback(lbd.close)
        await asyncio.to_thread(lbd.start)
        url = f"wss://{NAME}:{lbd.port('web')}/"

        async def opened() -> ClientConnection:
            sock = socket.create_connection(("127.0.0.1", lbd.port("web")))
            return await connect(
                url, sock=sock, ssl=context, server_hostname=NAME, compression=None, ping_interval=None)

        async def all_answer(connections: list[ClientConnection], word: str) -> None:
            async def one(connection: ClientConnection) -> None:
                await connection.send(word)
                assert await connection.recv() == word
            async with asyncio.timeout(60):
                await asyncio.gather(*map(one, connections))

        connections = [await opened() for _ in range(1000)]
        await all_answer(connections, "first")
        before = await asyncio.to_thread(certificate, lbd, context)
        authority.issue("live.pem", NAME)
        await asyncio.to_thread(until, lambda: certificate(lbd, context) != before, "the new certificate")
        lbd.write(text.replace('backend = "app"', 'backend = "app"\nmax_uri = "4KiB"'))
        await asyncio.to_thread(until, lambda: lbd.status()["generation"] == 2, "the reload")
        lbd.write(text + f'b = "127.0.0.1:{port}"\n')
        await asyncio.to_thread(until, lambda: lbd.status()["generation"] == 3, "the reload with another server")
        await all_answer(connections, "last")
        assert await asyncio.to_thread(lambda: lbd.status()["listeners"]["web"]["connections"]) == 1000
        for connection in connections:
            connection.transport.abort()


def certificate(lbd: Lbd, context: ssl.SSLContext) -> bytes:
    """The certificate that a new connection is shown."""
    with socket.create_connection(("127.0.0.1", lbd.port("web")), DEADLINE) as raw, \
            context.wrap_socket(raw, server_hostname=NAME) as sock:
        return sock.getpeercert(binary_form=True) or b""
