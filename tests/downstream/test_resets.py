"""Answers that break off: all that came of them arrives, and nobody takes it for complete."""

import asyncio
import os
from pathlib import Path

import pytest

from lbd.downstream.resets import ResetConnections
from tests.downstream.test_handshake import Place
from tests.plane import Connect, Simple
from tests.rig import LIMIT, Peer, Rig, Stage, answer, request

SIZE = 60_000       # more than the kernels of both sides hold here, less than what makes lbd pause the server
HEADS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * SIZE),
    "until-close": b"HTTP/1.1 200 OK\r\n\r\n",
}


async def taken(client: Peer) -> tuple[bytes, bool]:
    """The data until the end, and whether that was in order."""
    found = b""
    async with asyncio.timeout(LIMIT):
        try:
            while more := await client.reader.read(65536):
                found += more
        except ConnectionResetError:
            return found, False
    return found, True


@pytest.mark.parametrize("end", ["shut", "reset"])
@pytest.mark.parametrize("kind", HEADS)
async def test_what_came_is_written_out_before_the_end(rig: Rig, simple: Simple, stage: Stage, connect: Connect,
                                                       kind: str, end: str) -> None:
    rig.send_buffer = 4096
    simple()
    client = await connect(receive_buffer=2048, limit=1024)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    body = os.urandom(SIZE)
    await server.send(HEADS[kind] + body)
    held, = rig.exchanges
    await rig.until(lambda: held.bytes_out >= SIZE)
    getattr(server, "reset" if kind == "until-close" else end)()
    await rig.until(lambda: rig.ending("server-cut") == 1)
    found, in_order = await taken(client)
    assert found.endswith(body)
    assert in_order == (kind != "until-close")
    await rig.until(lambda: rig.plane.clients == 0)


async def test_an_old_client_of_a_chunked_answer_gets_a_reset(rig: Rig, simple: Simple, stage: Stage,
                                                              connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(b"GET / HTTP/1.0\r\nHost: e\r\n\r\n")
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await client.head()
    assert await client.read(5) == b"hello"
    server.shut()
    with pytest.raises(ConnectionResetError):
        await client.rest()


async def test_what_came_before_garbage_and_before_a_stall_arrives_too(rig: Rig, simple: Simple, stage: Stage,
                                                                       connect: Connect) -> None:
    simple(backend="timeouts = { server = '300ms' }")
    for number, (more, ending) in enumerate(((b"zz\r\n", "bad-response"), (b"", "server-body-timeout"))):
        client = await connect()
        await client.send(request())
        server = await stage.accept()
        await server.head()
        await server.send(HEADS["chunked"].replace(b"%x" % (2 * SIZE), b"5") + b"hello\r\n")
        await client.head()
        assert await client.read(10) == b"5\r\nhello\r\n"
        await server.send(more)
        assert await taken(client) == (b"", True)
        assert rig.ending(ending) == 1, number


async def test_a_client_that_half_closed_gets_the_rest_and_the_reset(rig: Rig, simple: Simple, stage: Stage,
                                                                     connect: Connect) -> None:
    simple()
    for when in ("before", "after"):
        client = await connect()
        await client.send(request())
        server = await stage.accept()
        await server.head()
        if when == "before":
            client.half_close()
        await server.send(HEADS["until-close"] + b"hello")
        await client.head()
        assert await client.read(5) == b"hello"
        server.reset()
        await rig.until(lambda: rig.ending("server-cut") >= 1)
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_a_client_that_still_sends_gets_it_too(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(request("/", "Content-Length: 1000000", method="POST") + bytes(1000))
    server = await stage.accept()
    await server.head()
    await server.send(HEADS["length"] + b"hello")
    await client.head()
    server.reset()
    assert await client.rest() == b"hello"


@pytest.mark.parametrize("kind", HEADS)
async def test_over_tls(rig: Rig, stage: Stage, tmp_path: Path, kind: str) -> None:
    place = Place(rig, stage, tmp_path)
    place.start()
    reader, writer = await place.streams()
    writer.write(request())
    server = await stage.accept()
    await server.head()
    await server.send(HEADS[kind] + b"x" * SIZE)
    held, = rig.exchanges
    await rig.until(lambda: held.bytes_out >= SIZE)
    server.reset()
    found, in_order = await taken(Peer(reader, writer))
    assert found.endswith(b"x" * SIZE)
    assert in_order == (kind != "until-close")
    writer.transport.abort()


async def test_a_reset_waits_for_what_was_written(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    """The kernel holds all of it: nothing but its acknowledgement tells when it has arrived."""
    simple()
    client = await connect(receive_buffer=2048, limit=1024)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer(b"x" * SIZE))
    await rig.until(lambda: rig.ending("ok") == 1)
    held, = rig.connections
    resets = ResetConnections()
    resets.add(held.transport)
    resets.tick()
    assert not held.transport.is_closing()
    assert len((await client.message())[1]) == SIZE
    transport = held.transport

    def reset() -> bool:
        resets.tick()
        return bool(transport.is_closing())
    await rig.until(reset)
    resets.tick()


def test_a_connection_that_ended_meanwhile_is_forgotten() -> None:
    class Closed:
        def is_closing(self) -> bool:
            return True
    resets = ResetConnections()
    resets.add(Closed())
    resets.tick()
    resets.tick()
