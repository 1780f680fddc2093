"""Connections to servers: reuse and its limits, back-pressure, early and odd answers."""

import asyncio
from typing import Any

import pytest

from lbd.exchange.states import HIGH
from lbd.stats import fields, scoreboard
from tests.plane import Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, request, warm

READ = 256 * 1024       # longest read of the transport, bytes
LARGE = 64 * 2**20


async def serve(client: Peer, server: Peer, target: str = "/") -> None:
    await client.send(request(target))
    assert (await server.head()).startswith(f"GET {target} ".encode())
    await server.send(answer(target.encode()))
    assert (await client.message())[1] == target.encode()


def is_full(connection: Any) -> bool:
    """The server does not read what the client sends."""
    exchange = connection.exchange
    return exchange is not None and exchange.upstream is not None and bool(exchange.upstream.full)


async def start(rig: Rig, simple: Simple, stage: Stage, connect: Connect, **more: str) -> tuple[Peer, Peer]:
    """A client, and the server connection that served it once."""
    simple(**more)
    client, server = await warm(connect, stage)
    return client, server


async def test_the_newest_idle_connection_is_taken(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    clients = [await connect() for _ in range(2)]
    servers = []
    for client in clients:
        await client.send(request())
        servers.append(await stage.accept())
    for client, server in zip(clients, servers, strict=True):
        await server.head()
        await server.send(answer())
        await client.message()
    for turn in range(3):
        await serve(clients[0], servers[1], f"/{turn}")


async def test_no_more_than_max_idle_connections_are_kept(rig: Rig, simple: Simple, stage: Stage,
                                                          connect: Connect) -> None:
    simple(backend="max_idle = 1")
    clients = [await connect() for _ in range(2)]
    servers = []
    for client in clients:
        await client.send(request())
        servers.append(await stage.accept())
    for client, server in zip(clients, servers, strict=True):
        await server.head()
        await server.send(answer())
        await client.message()
    assert await servers[1].rest() == b""
    await serve(clients[0], servers[0])


async def test_a_connection_serves_no_more_than_max_requests(rig: Rig, simple: Simple, stage: Stage,
                                                             connect: Connect) -> None:
    client, server = await start(rig, simple, stage, connect, backend="max_requests = 2")
    await serve(client, server)
    assert await server.rest() == b""
    await client.send(request())
    await (await stage.accept()).head()
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS_TOTAL) == 2
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 1


async def test_an_idle_connection_is_closed_after_a_while(rig: Rig, simple: Simple, stage: Stage,
                                                          connect: Connect) -> None:
    _, server = await start(rig, simple, stage, connect, backend="timeouts = { server_idle = '150ms' }")
    assert await server.rest() == b""
    await rig.until(lambda: rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0)


async def test_idle_connections_that_are_written_to_or_reset_are_given_up(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    _, server = await start(rig, simple, stage, connect)
    only, = rig.plane.in_force.backends["app"].servers.values()
    server.reset()
    await rig.until(lambda: not only.idle)
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0


async def test_a_slow_reader_holds_the_server_and_no_memory(rig: Rig, simple: Simple, stage: Stage,
                                                           connect: Connect) -> None:
    rig.send_buffer = 4096
    simple()
    client = await connect(receive_buffer=4096, limit=4096)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE

    async def send() -> None:
        await server.send(head)
        for _ in range(LARGE // READ):
            await server.send(bytes(READ))
    sending = asyncio.ensure_future(send())
    await client.head()
    held, = rig.connections
    await rig.until(lambda: held.congested)
    most = left = 0
    while left < LARGE:
        left += len(await client.reader.read(2**20))
        most = max(most, held.transport.get_write_buffer_size() if held.transport is not None else 0)
    await sending
    assert HIGH < most <= HIGH + READ
    assert rig.ending("ok") == 1
    client.writer.write(request("/again"))
    assert (await server.head()).startswith(b"GET /again ")


async def test_a_slow_server_holds_the_client_and_no_memory(rig: Rig, simple: Simple, stage: Stage,
                                                           connect: Connect) -> None:
    simple()
    client = await connect()

    async def send() -> None:
        await client.send(b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n\r\n" % LARGE)
        for _ in range(LARGE // READ):
            await client.send(bytes(READ))
    sending = asyncio.ensure_future(send())
    server = await stage.accept()
    held, = rig.connections
    await rig.until(lambda: is_full(held))
    most = 0
    await server.head()
    left = LARGE
    while left:
        left -= len(await server.reader.read(min(left, 2**20)))
        upstream = held.exchange.upstream if held.exchange is not None else None
        if upstream is not None and upstream.transport is not None:
            most = max(most, upstream.transport.get_write_buffer_size())
    await sending
    assert HIGH < most <= HIGH + 2 * READ
    await server.send(answer())
    await client.message()
    await serve(client, server, "/again")


async def test_a_connection_whose_client_was_slow_serves_others(rig: Rig, simple: Simple, stage: Stage,
                                                               connect: Connect) -> None:
    rig.send_buffer = 4096
    simple()
    slow, other = await connect(receive_buffer=4096, limit=4096), await connect()
    await slow.send(request())
    server = await stage.accept()
    await server.head()
    held, = [exchange.downstream for exchange in rig.exchanges if exchange.upstream is not None]
    await server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await slow.head()
    sent = 0
    while held.transport.get_write_buffer_size() <= HIGH - 2**14:
        await server.send(b"4000\r\n" + bytes(2**14) + b"\r\n")
        sent += 2**14 + 8
        await rig.until(lambda: held.exchange.bytes_out > sent)  # noqa: B023
    await server.send(b"4400\r\n" + bytes(0x4400) + b"\r\n0\r\n\r\n")
    await rig.until(lambda: rig.ending("ok") == 1)
    assert held.congested
    await serve(other, server, "/other")
    await serve(other, server, "/once-more")
    await slow.read(sent + 0x4400 + 13)


async def test_a_server_that_answers_without_reading_the_body_is_not_used_again(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client = await connect()
    size = 32 * 2**20
    sending = asyncio.ensure_future(client.send(
        b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n\r\n" % size + bytes(size) + request("/next")))
    server = await stage.accept()
    await server.head()
    server.writer.transport.pause_reading()
    held, = rig.connections
    await rig.until(lambda: is_full(held))
    server.writer.write(answer(b"early"))
    head, body = await client.message()
    assert b"Connection: close\r\n" in head
    assert body == b"early"
    sending.cancel()
    await rig.until(lambda: rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0)


async def test_a_connection_with_a_request_still_to_be_written_does_not_rest(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    client, server = await start(rig, simple, stage, connect)
    await client.send(request("/x", method="POST", body=b"all of it"))
    await server.message()
    held, = rig.connections
    held.exchange.upstream.pause_writing()        # as when the kernel took only a part
    assert not held.transport.is_reading()
    await server.send(answer(b"early"))
    assert (await client.message())[1] == b"early"
    await server.ended()
    await client.send(request("/next"))
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /next ")
    await server.send(answer())
    await client.message()


async def test_a_flood_of_interim_answers_waits_for_the_client(rig: Rig, simple: Simple, stage: Stage,
                                                               connect: Connect) -> None:
    rig.send_buffer = 4096
    simple()
    client = await connect(receive_buffer=4096, limit=4096)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    flood = b"HTTP/1.1 102 Processing\r\n\r\n" * 100_000
    sending = asyncio.ensure_future(server.send(flood + answer(b"at last")))
    held, = rig.connections
    await rig.until(lambda: held.congested)
    assert held.transport.get_write_buffer_size() <= HIGH + READ + 2**16
    for _ in range(100_000):
        assert (await client.head()).startswith(b"HTTP/1.1 102 ")
    assert (await client.message())[1] == b"at last"
    await sending
    await serve(client, server, "/again")


async def test_interim_answers_and_the_answer_in_one_read(rig: Rig, simple: Simple, stage: Stage,
                                                          connect: Connect) -> None:
    client, server = await start(rig, simple, stage, connect)
    await client.send(request("/x"))
    await server.head()
    await server.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1500 + answer(b"there"))
    for _ in range(1500):
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
    assert (await client.message())[1] == b"there"
    await serve(client, server, "/again")


@pytest.mark.parametrize("size", [64 * 1024, 70 * 1024])
async def test_the_head_of_an_answer_is_bounded(rig: Rig, simple: Simple, stage: Stage, connect: Connect,
                                                size: int) -> None:
    simple()
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    server.writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * size)
    head, _ = await client.message()
    assert head.startswith(b"HTTP/1.1 502 ")
    assert rig.ending("bad-response") == 1


async def test_answers_in_every_split(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client, server = await warm(connect, stage)
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"
    for place in range(1, len(whole)):
        await client.send(request(f"/{place}"))
        await server.head()
        await server.send(whole[:place])
        await server.send(whole[place:])
        await client.head()
        assert await client.read(19) == b"3\r\nabc\r\n0\r\nT: x\r\n\r\n"
