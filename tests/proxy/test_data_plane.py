"""The data plane: drains, and connections and requests without cycles."""

import asyncio
import gc

import pytest

from lbd.downstream.http1 import Http1Connection
from lbd.exchange.exchange import Exchange
from lbd.exchange.streams import Peer as ClientPeer
from lbd.exchange.subrequest import Subrequest
from lbd.exchange.subrequest import request as head_of
from lbd.routing.target import RouteTarget
from lbd.stats import scoreboard
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


async def asked(rig: Rig, simple: Simple, spare: Stage, connect: Connect, more: str = "") -> tuple[list[int], Peer]:
    """A request of a filter that no client waits for; what it hears, and its server."""
    simple(more=f"\n[backends.other]\n{more}\n[backends.other.servers]\ng = '{spare.address}'\n")
    in_force, said = rig.plane.in_force, []
    target = RouteTarget(rig.plane.assembly.row(scoreboard.ROUTE, 0), in_force.backends["other"])
    Subrequest(rig.plane.context, ClientPeer(in_force.listeners["web"]), target, head_of(b"GET", b"/", b"h"),
               lambda status, head, body: said.append(status))
    server = await spare.accept()
    await server.head()
    return said, server


async def test_a_drain_waits_for_requests_of_filters(rig: Rig, simple: Simple, spare: Stage, connect: Connect) -> None:
    said, server = await asked(rig, simple, spare, connect)
    ended = asyncio.Event()
    rig.plane.drain(5.0, ended.set)
    assert not ended.is_set()
    await server.send(answer())
    async with asyncio.timeout(20):
        await ended.wait()
    assert said == [200]


async def test_a_drain_cuts_requests_of_filters_at_its_end(rig: Rig, simple: Simple, spare: Stage,
                                                           connect: Connect) -> None:
    said, server = await asked(rig, simple, spare, connect)
    ended = asyncio.Event()
    rig.plane.drain(0.2, ended.set)
    async with asyncio.timeout(20):
        await ended.wait()
    assert said == [0]
    await server.ended()
    assert rig.ending("shutdown-cut") == 1


async def test_a_server_that_is_down_cuts_requests_of_filters(rig: Rig, simple: Simple, spare: Stage,
                                                              connect: Connect) -> None:
    said, server = await asked(rig, simple, spare, connect, "on_down = 'cut'\nretries = 0")
    one, = rig.plane.in_force.backends["other"].servers.values()
    rig.plane.update([one.endpoint._replace(health="down")])
    await server.ended()
    assert said == [502]
    assert not rig.plane.context.streams


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
