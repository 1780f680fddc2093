"""Deadlines that pass, in every state of a client connection."""

import asyncio
from typing import Any

import pytest

from lbd.downstream import http1
from tests.plane import Connect, Simple
from tests.rig import Rig, Silent, Stage, answer, request, warm

QUICK = "timeouts = { %s = '150ms' }"
LARGE = 8 * 2**20


async def test_a_client_that_never_asks_is_closed(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(QUICK % "client_header")
    assert await (await connect()).rest() == b""


async def test_an_idle_client_is_closed(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(QUICK % "client_idle")
    client, _ = await warm(connect, stage)
    assert await client.rest() == b""
    assert rig.ending("ok") == 1


async def test_half_a_head_gets_408(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(QUICK % "client_header")
    client = await connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: e")
    assert (await client.head()).startswith(b"HTTP/1.1 408 ")
    await rig.until(lambda: rig.ending("client-header-timeout") == 1)


async def test_dripping_a_head_gains_no_time(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(QUICK % "client_header")
    client = await connect()
    await client.send(b"GET / HTTP/1.1\r\n")
    for _ in range(6):
        await rig.tick()
        client.writer.write(b"A: b\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 408 ")
    assert rig.ending("client-header-timeout") == 1


async def test_a_connect_that_takes_too_long_gets_504(rig: Rig, simple: Simple, silent: Silent, stage: Stage,
                                                      connect: Connect) -> None:
    stage.address = silent.address
    simple(backend=QUICK % "connect" + "\nretries = 0")
    client = await connect()
    await client.send(request())
    head, _ = await client.message()
    assert head.startswith(b"HTTP/1.1 504 ")
    assert rig.ending("connect-timeout") == 1
    assert rig.suspected == [("app", "a")]
    assert rig.in_flight() == 0


async def test_a_body_that_stops_gets_408(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(QUICK % "client_body")
    client = await connect()
    await client.send(request(method="POST", body=b"x" * 10)[:-5])
    server = await stage.accept()
    await server.head()
    await server.read(5)
    head = await client.head()
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close\r\n" in head
    await server.ended()
    assert rig.ending("client-body-timeout") == 1


async def test_a_server_that_takes_no_body_gets_504(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend=QUICK % "server")
    client = await connect()
    writing = asyncio.ensure_future(client.send(
        b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n\r\n" % (4 * LARGE) + bytes(2 * LARGE)))
    server = await stage.accept()
    server.writer.transport.pause_reading()
    assert (await client.head()).startswith(b"HTTP/1.1 504 ")
    assert rig.ending("server-timeout") == 1
    writing.cancel()


async def test_no_answer_gets_504(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend=QUICK % "server")
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    head, _ = await client.message()
    assert head.startswith(b"HTTP/1.1 504 ")
    await server.ended()
    assert rig.ending("server-timeout") == 1


async def test_after_504_the_next_request_goes_on(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend=QUICK % "server")
    client = await connect()
    await client.send(request("/slow") + request("/next"))
    await (await stage.accept()).head()
    assert (await client.message())[0].startswith(b"HTTP/1.1 504 ")
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /next ")
    await server.send(answer(b"next"))
    assert (await client.message())[1] == b"next"


async def test_an_answer_that_stops_is_cut(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend=QUICK % "server")
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer(b"x" * 100)[:-50])
    await client.head()
    await client.read(50)
    await client.ended()
    await rig.until(lambda: rig.ending("server-body-timeout") == 1)


async def test_a_client_that_stops_reading_is_cut(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    rig.send_buffer = 4096
    simple(QUICK % "client_body")
    client = await connect(receive_buffer=4096, limit=4096)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    server.writer.write(answer(bytes(LARGE)))
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("client-slow") == 1
    assert rig.in_flight() == 0


async def test_a_client_that_stops_reading_between_requests_is_cut(rig: Rig, simple: Simple, connect: Connect) -> None:
    rig.send_buffer = 4096
    simple(f"{QUICK % 'client_body'}\nroutes = [{{ path = '/x', respond = {{ body = '{'x' * 50_000}' }} }}]")
    client = await connect(receive_buffer=4096, limit=4096)
    await client.send(request("/x") * 100)
    await rig.until(lambda: rig.plane.clients == 0)
    assert 2 <= rig.ending("answered") < 100


async def test_a_slow_reader_is_not_cut_while_it_reads(rig: Rig, simple: Simple, stage: Stage,
                                                       connect: Connect) -> None:
    rig.send_buffer = 4096
    simple(QUICK % "client_body")
    client = await connect(receive_buffer=4096, limit=4096)
    await client.send(request())
    server = await stage.accept()
    await server.head()
    server.writer.write(answer(bytes(400_000)))
    await client.head()
    for _ in range(8):
        await rig.tick()
        await client.read(50_000)
    await rig.until(lambda: rig.ending("ok") == 1)


async def test_a_silent_tunnel_is_cut(rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend=QUICK % "tunnel")
    client = await connect()
    await client.send(request("/", "Upgrade: x", "Connection: upgrade"))
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    await client.head()
    await client.ended()
    await rig.until(lambda: rig.ending("tunnel-timeout") == 1)


async def test_lingering_ends(rig: Rig, simple: Simple, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "LINGER_SECONDS", 0.1)
    rig.quick.stop()                    # the kernel acknowledges what was answered when it sees fit
    simple()
    client = await connect()
    await client.send(b"BAD\r\n\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 400 ")
    await rig.until(lambda: rig.plane.clients == 0)


async def test_a_fault_at_a_deadline_costs_that_connection_only(
        rig: Rig, simple: Simple, connect: Connect) -> None:
    simple("timeouts = { client_header = '2s' }")
    clients = [await connect() for _ in range(3)]
    await rig.until(lambda: rig.plane.clients == 3)
    others: Any = rig.plane.admission.clients

    class Broken:
        deadline = 0.0

        def expire(self) -> None:
            raise RuntimeError("a fault")

        def stop(self, ending: int) -> None:
            others.remove(self)
    others.add(Broken())
    for client in clients:
        await client.ended()
