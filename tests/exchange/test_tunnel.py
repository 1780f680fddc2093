"""Tunnels: bytes both ways, each way with its own end and its own back-pressure."""

import asyncio

import pytest

from lbd.exchange.states import HIGH
from lbd.stats import fields, scoreboard
from tests.plane import Connect, Simple
from tests.rig import Peer, Rig, Stage, request

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
ASK = request("/", "Upgrade: x", "Connection: upgrade")
READ = 256 * 1024


@pytest.fixture
async def pair(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> tuple[Peer, Peer]:
    """Both ends of a tunnel."""
    simple(backend="timeouts = { server = '150ms' }")
    client = await connect()
    await client.send(ASK)
    server = await stage.accept()
    await server.head()
    await server.send(SWITCH)
    await client.head()
    return client, server


async def test_bytes_behind_the_upgrade_go_with_it(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(ASK + b"early client")
    server = await stage.accept()
    await server.head()
    await server.send(SWITCH + b"early server")
    await client.head()
    assert await client.read(12) == b"early server"
    assert await server.read(12) == b"early client"


@pytest.mark.parametrize("first", ["client", "server"])
async def test_each_side_may_end_first(rig: Rig, pair: tuple[Peer, Peer], first: str) -> None:
    one, other = pair if first == "client" else pair[::-1]
    one.half_close()
    assert await other.rest() == b""
    await other.send(b"still open this way")
    assert await one.read(19) == b"still open this way"
    other.half_close()
    assert await one.rest() == b""
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("tunnel-closed") == 1
    assert rig.in_flight() == 0


@pytest.mark.parametrize("first", ["client", "server"])
async def test_a_reset_goes_through(rig: Rig, pair: tuple[Peer, Peer], first: str) -> None:
    one, other = pair if first == "client" else pair[::-1]
    one.reset()
    await other.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("tunnel-closed") == 1


@pytest.mark.parametrize("slow", ["client", "server"])
async def test_the_slow_side_holds_the_other(rig: Rig, pair: tuple[Peer, Peer], slow: str) -> None:
    reader, writer = pair if slow == "client" else pair[::-1]
    held, = rig.exchanges
    size = 32 * 2**20

    async def send() -> None:
        for _ in range(size // READ):
            await writer.send(bytes(READ))
    sending = asyncio.ensure_future(send())
    sides = held.peer.transport, held.upstream.transport
    await rig.until(lambda: any(side.get_write_buffer_size() for side in sides))
    # Neither is the tunnel cut by the time that a server has for an answer.
    for _ in range(3):
        await rig.tick()
    most = 0
    left = size
    while left:
        left -= len(await reader.reader.read(2**20))
        most = max(most, *(side.get_write_buffer_size() for side in sides))
    await sending
    assert 0 < most <= HIGH + READ
    for _ in range(3):
        await rig.tick()
    assert rig.plane.clients == 1


async def test_a_client_that_ended_before_the_answer(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(ASK)
    client.half_close()
    await rig.until(lambda: any(exchange.half_closed for exchange in rig.exchanges))
    server = await stage.accept()
    await server.head()
    await server.send(SWITCH + b"one way")
    assert await server.rest() == b""
    await client.head()
    assert await client.read(7) == b"one way"
    server.half_close()
    assert await client.rest() == b""
    await rig.until(lambda: rig.plane.clients == 0)


@pytest.mark.parametrize("first", ["client", "server"])
async def test_a_half_closed_tunnel_has_its_own_patience(rig: Rig, simple: Simple, stage: Stage, connect: Connect,
                                                         first: str) -> None:
    simple(backend="timeouts = { half_closed = '300ms' }", listener="mode = 'tcp'")
    client = await connect()
    server = await stage.accept()
    for _ in range(5):
        await rig.tick()                # nothing passes, and nothing ends
    assert rig.plane.clients == 1
    (client if first == "client" else server).half_close()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("half-closed-timeout") == 1


async def test_what_passes_moves_the_deadline(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    rig.quick.stop()                    # the kernel's transports note by it when something passed
    simple(backend="timeouts = { tunnel = '500ms' }", listener="mode = 'tcp'")
    client = await connect()
    server = await stage.accept()
    for _ in range(10):                 # twice as long as it may be silent
        await rig.tick()
        await client.send(b"x")
        assert await server.read(1) == b"x"
    assert rig.plane.clients == 1
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("tunnel-timeout") == 1


async def test_bytes_are_counted_both_ways(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(listener="mode = 'tcp'")
    client = await connect()
    client.writer.write(b"x" * 100)         # before there is a server
    server = await stage.accept()
    await client.send(b"x" * 299_900)
    assert len(await server.read(300_000)) == 300_000
    await server.send(b"y" * 200_000)
    server.half_close()
    assert len(await client.rest()) == 200_000
    client.half_close()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_BYTES_IN) == 300_000
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_BYTES_OUT) == 200_000


async def test_a_tunnel_that_is_drained_ends_in_good_order(rig: Rig, pair: tuple[Peer, Peer]) -> None:
    client, server = pair
    await client.send(b"last words")
    await server.send(b"and an answer")
    held, = rig.connections
    await rig.until(lambda: held.transport.get_extra_info("fd") is None or held.transport.passed == 10)
    rig.plane.drain(0.4, lambda: None)
    assert await client.rest() == b"and an answer"
    assert await server.rest() == b"last words"
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("shutdown-cut") == 1
