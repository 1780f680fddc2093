"""The data plane: drains, and connections and requests without cycles."""

import asyncio
import gc

import pytest

from lbd.downstream.http1 import Http1Connection
from lbd.exchange.exchange import Exchange
from lbd.upstream.closing import close_idle
from lbd.upstream.http1 import Http1ServerConnection
from tests.plane import Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, request


async def begun(rig: Rig, connect: Connect, stage: Stage) -> tuple[Peer, Peer]:
    """A client whose request is at the server."""
    client = await connect()
    await client.send(request("/begun"))
    server = await stage.accept()
    await server.head()
    return client, server


async def test_a_drain_lets_requests_finish_and_sends_clients_away(rig: Rig, simple: Simple, stage: Stage,
                                                                   connect: Connect) -> None:
    simple()
    idle = await connect()
    client, server = await begun(rig, connect, stage)
    ended = asyncio.Event()
    rig.plane.drain(2.0, ended.set)
    assert await idle.rest() == b""
    assert not ended.is_set()
    await server.send(answer())
    head, body = await client.message()
    assert b"Connection: close\r\n" in head
    assert body == b"ok"
    assert await client.rest() == b""
    async with asyncio.timeout(20):
        await ended.wait()
    assert rig.ending("shutdown-cut") == 0


async def test_a_drain_cuts_what_is_left_at_its_end(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client, server = await begun(rig, connect, stage)
    half = await connect()
    await half.send(b"GET / HT")
    ended = asyncio.Event()
    rig.plane.drain(0.2, ended.set)
    async with asyncio.timeout(20):
        await ended.wait()
    await client.ended()
    await half.ended()
    await server.ended()
    assert rig.ending("shutdown-cut") == 1
    assert rig.in_flight() == 0


async def test_connections_and_requests_make_no_cycles(rig: Rig, simple: Simple, stage: Stage,
                                                       connect: Connect) -> None:
    if rig.poller is None:
        pytest.skip("the loop's own transports make some")
    simple(backend="max_requests = 2\ntimeouts = { server = '100ms' }")
    gc.collect()
    gc.disable()
    try:
        for turn in range(12):
            client, server = await begun(rig, connect, stage)
            if turn % 4 == 0:
                await server.send(answer())
                await client.message()
                client.close()
            elif turn % 4 == 1:
                await server.send(answer(b"x" * 100)[:-50])
                server.reset()
                await client.head()
            elif turn % 4 == 2:
                client.reset()
            else:
                assert (await client.message())[0].startswith(b"HTTP/1.1 504 ")
                client.close()
            await rig.until(lambda: rig.plane.clients == 0)
            for only in rig.plane.in_force.backends["app"].servers.values():
                close_idle(only)
        kinds = Exchange | Http1Connection | Http1ServerConnection
        assert not [each for each in gc.get_objects() if isinstance(each, kinds)]
    finally:
        gc.enable()
