"""WebSockets through the real daemon, by a library of others: long-lived, kept alive by pings, reloaded, drained."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lbd_process import Lbd, borrowed, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from lbd.cli.command_line import main

CLOSED, CUT = (f'lbd_endings_total{{ending="{ending}"}}' for ending in ("tunnel-closed", "operator-cut"))
CONFIG = """
[timeouts]
tunnel = "{tunnel}"
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
{more}
servers = {{ a = "127.0.0.1:{port}" }}
"""


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def behind(tunnel: str = "1h", settings: str = "") -> AsyncIterator[tuple[Lbd, str, int]]:
    """A daemon before a WebSocket server; the URL of the daemon, and the server's port."""
    async with serve(echo, "127.0.0.1", 0, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        text = CONFIG.format(tunnel=tunnel, port=port, more="")
        daemon = Lbd(text, settings=settings) if settings else borrowed(text)
        lbd = await asyncio.to_thread(daemon.__enter__)
        try:
            yield lbd, f"ws://127.0.0.1:{lbd.port('web')}/chat", port
        finally:
            await asyncio.to_thread(daemon.__exit__, None, None, None)


async def said(connection: ClientConnection, text: str | bytes) -> None:
    """The message comes back."""
    async with asyncio.timeout(20):
        await connection.send(text)
        assert await connection.recv() == text


async def test_messages_of_all_sizes_and_an_orderly_end() -> None:
    async with behind() as (lbd, url, _), connect(url, max_size=None) as connection:
        before = await asyncio.to_thread(lbd.counted, CLOSED)
        for message in ("hello", b"\0" * 70_000, "x" * 1_000_000, ""):
            await said(connection, message)
        await connection.close()
        assert connection.close_code == 1000
        await asyncio.to_thread(
            until, lambda: lbd.counted(CLOSED) == before + 1, "it is counted")


async def test_pings_keep_a_connection_alive_and_silence_ends_it() -> None:
    async with behind(tunnel="1s") as (_, url, _), \
            connect(url, ping_interval=0.2) as pinging, connect(url, ping_interval=None) as silent:
        async with asyncio.timeout(20):
            await silent.wait_closed()          # by then the other one was without a message for as long
        await said(pinging, "still there")
        assert silent.close_code == 1006        # without a closing frame: lbd takes no part in the conversation


async def test_a_reload_touches_none_of_them() -> None:
    async with behind() as (lbd, url, port):
        connections = [await connect(url) for _ in range(50)]
        lbd.write(CONFIG.format(tunnel="1h", port=port, more='algorithm = "least-connections"'))
        status, answer = await asyncio.to_thread(lbd.admin, "POST", "/v1/reload")
        assert status == 200, answer
        for number, connection in enumerate(connections):
            await said(connection, str(number))
            await connection.close()


async def test_an_operator_cuts_them() -> None:
    async with behind() as (lbd, url, _):
        before = await asyncio.to_thread(lbd.counted, CUT)
        connections = [await connect(url) for _ in range(20)]
        command = ["maint", "app/a", "--cut", "--admin", f"unix:{lbd.path}/admin.sock"]
        assert await asyncio.to_thread(main, command) == 0
        async with asyncio.timeout(20):
            for connection in connections:
                await connection.wait_closed()
        assert {connection.close_code for connection in connections} == {1006}
        await asyncio.to_thread(
            until, lambda: lbd.counted(CUT) == before + 20, "they are counted")


async def test_a_stop_ends_them_one_after_another() -> None:
    async with behind(settings='drain_timeout = "2s"') as (lbd, url, _):
        connections = [await connect(url) for _ in range(20)]
        loop = asyncio.get_running_loop()
        ends: list[float] = []

        async def watch(connection: ClientConnection) -> None:
            try:
                await connection.recv()
            except ConnectionClosed:
                ends.append(loop.time())
        watching = [asyncio.ensure_future(watch(connection)) for connection in connections]
        assert await asyncio.to_thread(lbd.stop) == 0
        await asyncio.gather(*watching)
        assert len({round(end, 1) for end in ends}) >= 3
