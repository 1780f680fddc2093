"""A request on its way to a server: repeats where that is safe, doubt, and what is counted."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lbd.exchange.states import HELD
from lbd.stats import fields, scoreboard
from tests.plane import CONFIG, Connect, Simple
from tests.rig import Peer, Refusing, Rig, Silent, Stage, answer, configuration, generation, request, warm

SPARE = "b = {{ address = '{}', backup = true }}"


class Unseeing:
    """A transport that does not see that its other end closed: that is on its way while a request is written."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def is_readable(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def see_nothing(rig: Rig) -> None:
    """Let the idle connections to servers not see what comes."""
    for server in rig.plane.in_force.backends["app"].servers.values():
        for connection in server.idle:
            connection.transport = Unseeing(connection.transport)


def retries(rig: Rig, field: int) -> float:
    return rig.board.total(scoreboard.BACKEND, 0, field)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connect_goes_to_another_server(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                        refusing: Refusing, connect: Connect, method: str) -> None:
    stage.address = refusing.address
    simple(more=SPARE.format(spare.address))
    client = await connect()
    await client.send(request(method=method, body=b"" if method == "GET" else b"body"))
    server = await spare.accept()
    await server.message()
    await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")
    assert rig.suspected == [("app", "a")]
    assert retries(rig, fields.BACKEND_RETRIES_REFUSED) == 1
    assert (rig.in_flight(0), rig.in_flight(1)) == (0, 0)
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTION_ERRORS) == 1


async def test_a_connect_that_takes_too_long_goes_to_another_server(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, silent: Silent, connect: Connect) -> None:
    stage.address = silent.address
    simple(backend="timeouts = { connect = '150ms' }", more=SPARE.format(spare.address))
    client = await connect()
    await client.send(request())
    server = await spare.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    assert retries(rig, fields.BACKEND_RETRIES_TIMEOUT) == 1
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTION_ERRORS) == 1


async def test_an_upload_goes_to_another_server_as_long_as_nothing_was_sent(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, refusing: Refusing, connect: Connect) -> None:
    stage.address = refusing.address
    simple(more=SPARE.format(spare.address))
    client = await connect()
    whole = request(method="POST", body=bytes(range(256)) * 1000)
    await client.send(whole[:1000])
    server = await spare.accept()
    await client.send(whole[1000:])
    _, body = await server.message()
    assert body == bytes(range(256)) * 1000
    await server.send(answer())
    await client.message()


@pytest.mark.parametrize("retries", [0, 2])
async def test_refused_connects_go_on_until_every_server_was_tried_once(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, refusing: Refusing, connect: Connect,
        retries: int) -> None:
    stage.address = refusing.address
    dead = "\n".join(f"{name} = '{refusing.address}'" for name in "cdef")
    simple(backend=f"retries = {retries}", more=f"{dead}\n{SPARE.format(spare.address)}")
    client = await connect()
    await client.send(request(method="POST", body=b"once"))
    server = await spare.accept()
    assert (await server.message())[1] == b"once"
    await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")
    assert len(rig.suspected) == len(set(rig.suspected)) == 5


async def test_where_all_refuse_each_is_tried_once(rig: Rig, simple: Simple, stage: Stage, refusing: Refusing,
                                                   connect: Connect) -> None:
    stage.address = refusing.address
    simple(more="\n".join(f"{name} = '{refusing.address}'" for name in "bcde"))
    client = await connect()
    await client.send(request())
    assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")
    assert len(rig.suspected) == len(set(rig.suspected)) == 5
    assert rig.ending("connect-refused") == 1


async def test_after_502_the_next_request_goes_on(rig: Rig, simple: Simple, stage: Stage, refusing: Refusing,
                                                  connect: Connect) -> None:
    stage.address = refusing.address
    simple()
    client = await connect()
    await client.send(request() * 3)
    for _ in range(3):
        assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")
    assert rig.ending("connect-refused") == 3
    assert rig.in_flight() == 0


async def test_a_dead_server_can_be_tried_for_ever(rig: Rig, simple: Simple, stage: Stage, refusing: Refusing,
                                                   connect: Connect) -> None:
    stage.address = refusing.address
    simple()
    client = await connect()
    for _ in range(10):
        await client.send(request() * 50)
        for _ in range(50):
            assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")
    server, = rig.plane.in_force.backends["app"].servers.values()
    for _ in range(5000):
        server.backoff.mark_failed(server.backoff.until)
    await client.send(request())
    assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")


async def test_doubt_ends_with_time_and_the_server_recovers(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                            connect: Connect) -> None:
    simple(more=SPARE.format(spare.address))
    pool = rig.plane.in_force.backends["app"].pool
    assert pool is not None
    first = pool.servers[0]
    rig.plane.connector.mark_failed(first)
    client = await connect()
    await client.send(request("/doubt"))
    server = await spare.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    await rig.until(lambda: not first.backoff.until)
    await client.send(request("/again"))
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /again ")
    await server.send(answer())
    await client.message()


async def test_a_server_in_doubt_is_trusted_once_it_accepts(rig: Rig, simple: Simple, stage: Stage,
                                                            connect: Connect) -> None:
    simple()
    only, = rig.plane.in_force.backends["app"].servers.values()
    only.backoff.mark_failed(rig.plane.context.now + 1000)
    rig.plane.in_force.backends["app"].rebuild()
    await warm(connect, stage)
    assert only.backoff.until == 0.0


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "crossing"])
async def test_an_idle_connection_that_the_server_closes_is_never_noticed(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, method: str, seen: bool) -> None:
    simple(backend="retries = 0")
    client, server = await warm(connect, stage)
    for turn in range(10):
        if not seen:
            see_nothing(rig)
        server.shut()
        client.writer.write(request(f"/{turn}", method=method, body=b"" if method == "GET" else b"once"))
        server = await stage.accept()
        assert (await server.message())[0].startswith(f"{method} /{turn} ".encode())
        await server.send(answer(str(turn).encode()))
        assert (await client.message())[1] == str(turn).encode()
    assert rig.ending("ok") == 11
    assert rig.in_flight() == 0
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_FAILURES) == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_where_that_server_is_in_doubt_another_one_is_asked(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, connect: Connect, method: str) -> None:
    simple(backend="retries = 0", more=SPARE.format(spare.address))
    client, server = await warm(connect, stage)
    see_nothing(rig)
    first, = rig.plane.in_force.backends["app"].pool.usable
    first.backoff.until = 1e12      # since then
    client.writer.write(request(method=method, body=b"" if method == "GET" else b"once"))
    server.shut()           # after that: the end of the connection is read later than the request
    server = await spare.accept()
    await server.message()
    await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")


async def test_a_post_that_the_server_read_is_never_repeated(rig: Rig, simple: Simple, stage: Stage,
                                                            connect: Connect) -> None:
    simple()
    client, server = await warm(connect, stage)
    await client.send(request("/post", method="POST", body=b"once"))
    await server.message()
    server.writer.close()
    assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")
    assert stage.accepted.empty()
    assert rig.ending("server-closed") == 1


async def test_a_lost_get_is_repeated_after_a_refused_connect(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                             refusing: Refusing, connect: Connect) -> None:
    stage.address = refusing.address
    simple(more=SPARE.format(spare.address))
    client = await connect()
    await client.send(request())
    server = await spare.accept()
    await server.head()
    server.close()
    server = await spare.accept()
    await server.head()
    await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")


async def test_what_a_client_leaves_behind_is_cancelled_while_connecting(
        rig: Rig, simple: Simple, stage: Stage, silent: Silent, connect: Connect) -> None:
    stage.address = silent.address
    simple()
    client = await connect()
    await client.send(request())
    await rig.until(lambda: rig.in_flight() == 1)
    client.reset()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.in_flight() == 0
    assert rig.ending("client-reset") + rig.ending("client-closed") == 1


@pytest.mark.parametrize("half_close", [True, False])
async def test_a_repeat_for_a_client_that_half_closed(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, half_close: bool) -> None:
    simple()
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    if half_close:
        client.half_close()
        held, = rig.connections
        await rig.until(lambda: held.half_closed)
    server.close()
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    head, body = await client.message()
    assert body == b"ok"
    assert (b"Connection: close\r\n" in head) is half_close
    if half_close:
        assert await client.rest() == b""


async def test_an_answer_for_a_backend_without_a_usable_server(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(more="[errors]\n")
    server, = rig.plane.in_force.backends["app"].servers.values()
    server.update(server.endpoint._replace(mode="maint"))
    rig.plane.in_force.backends["app"].rebuild()
    client = await connect()
    await client.send(request() + request("/", "Accept: application/json"))
    head, _ = await client.message()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in head
    first = [line for line in head.split(b"\r\n") if line.startswith(b"X-Request-Id: ")]
    head, body = await client.message()
    second = [line for line in head.split(b"\r\n") if line.startswith(b"X-Request-Id: ")]
    assert len(first) == len(second) == 1
    assert first != second
    assert b"Content-Type: application/json\r\n" in head
    assert b'"status":503' in body
    assert rig.ending("no-server") == 2


async def test_use_all_never_goes_to_a_name_that_was_not_resolved(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    stage.address = "nowhere.invalid:80"
    simple(backend="when_all_down = 'use-all'")
    server, = rig.plane.in_force.backends["app"].servers.values()
    server.health = "down"
    rig.plane.in_force.backends["app"].rebuild()
    client = await connect()
    await client.send(request())
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")


async def test_use_all_goes_to_servers_that_are_down(rig: Rig, simple: Simple, stage: Stage,
                                                     connect: Connect) -> None:
    simple(backend="when_all_down = 'use-all'")
    only, = rig.plane.in_force.backends["app"].servers.values()
    only.health = "down"
    rig.plane.in_force.backends["app"].rebuild()
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")


async def test_many_clients_at_once_leave_no_trace(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                   connect: Connect) -> None:
    simple(more=f"b = '{spare.address}'")

    async def serve(one: Stage) -> None:
        while True:
            peer = await one.accepted.get()
            one.peers.append(peer)
            serving.append(asyncio.ensure_future(echo(peer)))

    async def echo(peer: Peer) -> None:
        while True:
            head = await peer.reader.readuntil(b"\r\n\r\n")
            peer.writer.write(answer(head.split(b" ")[1]))

    serving: list[asyncio.Future[None]] = [asyncio.ensure_future(serve(stage)), asyncio.ensure_future(serve(spare))]

    async def ask(number: int) -> None:
        client = await connect()
        for turn in range(10):
            await client.send(request(f"/{number}/{turn}"))
            assert (await client.message())[1] == f"/{number}/{turn}".encode()
    await asyncio.gather(*(ask(number) for number in range(30)))
    assert rig.ending("ok") == 300
    assert (rig.in_flight(0), rig.in_flight(1)) == (0, 0)
    opened = [rig.board.total(scoreboard.SERVER, slot, fields.SERVER_CONNECTIONS) for slot in (0, 1)]
    assert sum(opened) == sum(len(server.idle) for server in rig.plane.in_force.backends["app"].servers.values())
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


async def test_which_statuses_are_failures_is_the_backends_choice_and_changes_with_a_reload(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple(backend='outlier.statuses = "500, 507-508"')
    client, server = await connect(), None
    for status, failures in [(500, 1), (501, 0), (508, 1), (503, 0)]:
        await client.send(request())
        server = server or await stage.accept()
        await server.head()
        await server.send(answer(status=f"{status} Oh"))
        await client.message()
        assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_FAILURES) == failures
    rig.apply(generation(configuration(CONFIG.format(listener="", backend="outlier = true", address=stage.address),
                                       tmp_path), 2))
    await client.send(request())
    assert server is not None
    await server.head()
    await server.send(answer(status="503 Oh"))
    await client.message()
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_FAILURES) == 1


async def test_an_upload_that_is_being_buffered_takes_no_place(rig: Rig, stage: Stage, connect: Connect,
                                                               tmp_path: Path) -> None:
    bounded = CONFIG.replace('a = "{address}"', 'a = {{ address = "{address}", max_conns = 1 }}')
    rig.start(configuration(bounded.format(listener="", backend="request_buffer = '1MiB'", address=stage.address),
                            tmp_path))
    slow, quick = await connect(), await connect()
    whole = request("/slow", method="POST", body=b"hello")
    await slow.send(whole[:-2])
    await rig.until(lambda: bool(rig.exchanges) and rig.exchanges[0].state == HELD)
    await quick.send(request("/quick"))
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /quick ")
    await server.send(answer(b"quick"))
    assert (await quick.message())[1] == b"quick"
    assert rig.in_flight() == 0
    await slow.send(whole[-2:])
    assert (await server.message())[1] == b"hello"
    await server.send(answer(b"slow"))
    assert (await slow.message())[1] == b"slow"
