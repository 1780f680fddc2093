"""Bounds: requests that wait for room, in order, in one worker and between two."""

import asyncio
import os
import socket

import pytest

from lbd.net.wakeups import Wakeups, open_wakeups
from lbd.proxy.data_plane import DataPlane
from lbd.stats import fields
from lbd.stats.scoreboard import BACKEND, SERVER
from tests.rig import answer, configuration, generation, request

ONE = "[backends.app.servers.b]\naddress = \"{}\"\nmax_conns = 1"


@pytest.fixture
def bounded(simple, stage, rig, tmp_path):
    """A server that takes one request at a time."""
    def start(backend="", max_conns=1, listener=""):
        text = f"""
            [listeners.web]
            bind = "127.0.0.1:1"
            backend = "app"
            {listener}
            [backends.app]
            {backend}
            [backends.app.servers]
            a = {{ address = "{stage.address}", max_conns = {max_conns} }}
        """
        rig.start(configuration(text, tmp_path))
    return start


def waiting(rig):
    return rig.board.total(BACKEND, 0, fields.BACKEND_QUEUE)


def held(rig):
    return rig.board.total(SERVER, 0, fields.SERVER_CONNECTIONS)


async def test_one_at_a_time_in_order_on_the_same_connection(bounded, rig, stage, connect):
    bounded()
    clients = [await connect() for _ in range(4)]
    for number, client in enumerate(clients):
        await client.send(request(f"/{number}"))
        await rig.until(lambda number=number: waiting(rig) == max(number, 0) and rig.in_flight() == 1)
    server = await stage.accept()
    for number, client in enumerate(clients):
        head, _ = await server.message()
        assert head.startswith(f"GET /{number} ".encode())
        assert held(rig) == 1
        await server.send(answer(str(number).encode()))
        assert (await client.message())[1] == str(number).encode()
    assert waiting(rig) == 0
    assert stage.accepted.empty()


async def test_a_server_that_closes_its_connections_gets_the_next_request_on_a_new_one(bounded, rig, stage, connect):
    bounded()
    clients = [await connect() for _ in range(3)]
    for number, client in enumerate(clients):
        await client.send(request(f"/{number}"))
        await rig.until(lambda number=number: waiting(rig) == number)
    for client in clients:
        server = await stage.accept()
        await server.head()
        await server.send(answer(b"ok", "Connection: close"))
        server.close()
        await client.message()
    await rig.until(lambda: held(rig) == 0)


async def test_the_queue_has_a_limit(bounded, rig, stage, connect):
    bounded("queue = 1")
    first, second, third = [await connect() for _ in range(3)]
    await first.send(request())
    server = await stage.accept()
    await second.send(request("/second"))
    await rig.until(lambda: waiting(rig) == 1)
    await third.send(request())
    head, _ = await third.message()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in head
    assert rig.ending("queue-full") == 1
    await server.head()
    await server.send(answer())
    await first.message()
    assert (await server.head()).startswith(b"GET /second ")
    await server.send(answer())
    await second.message()
    await third.send(request("/third"))     # its connection was kept
    assert (await server.head()).startswith(b"GET /third ")
    await server.send(answer())
    await third.message()


@pytest.mark.parametrize("backend", ["queue = 0", "[backends.app.timeouts]\nqueue = \"0s\""])
async def test_without_a_queue_it_is_refused_at_once(bounded, rig, stage, connect, backend):
    bounded(backend)
    first, second = await connect(), await connect()
    await first.send(request())
    await stage.accept()
    await second.send(request())
    assert (await second.head()).startswith(b"HTTP/1.1 503 ")
    assert rig.ending("queue-full") == 1


async def test_waiting_takes_no_longer_than_its_timeout(bounded, rig, stage, connect):
    bounded("[backends.app.timeouts]\nqueue = \"200ms\"")
    first, second = await connect(), await connect()
    await first.send(request())
    await stage.accept()
    await second.send(request() + request("/next"))
    assert (await second.head()).startswith(b"HTTP/1.1 503 ")
    assert rig.ending("queue-timeout") >= 1
    await second.read(1)      # the body, and then the next answer: the connection goes on
    await rig.until(lambda: rig.ending("queue-timeout") == 2)
    assert waiting(rig) == 0


@pytest.mark.parametrize(("leave", "backend"), [
    ("close", "abort_on_close = true"), ("half_close", "abort_on_close = true"), ("reset", "")])
async def test_a_client_that_leaves_leaves_the_queue(bounded, rig, stage, connect, leave, backend):
    bounded(backend)
    first, second, third = [await connect() for _ in range(3)]
    await first.send(request())
    server = await stage.accept()
    await second.send(request("/second"))
    await rig.until(lambda: waiting(rig) == 1)
    await third.send(request("/third"))
    await rig.until(lambda: waiting(rig) == 2)
    getattr(second, leave)()
    await rig.until(lambda: waiting(rig) == 1)
    await server.head()
    await server.send(answer())
    assert (await server.head()).startswith(b"GET /third ")
    await server.send(answer())
    await third.message()
    await rig.until(lambda: rig.in_flight() == 0)


@pytest.mark.parametrize("leave", ["close", "reset", "half_close"])
async def test_an_upload_whose_client_leaves_leaves_the_queue(bounded, rig, stage, connect, leave):
    bounded()
    first, second, third = [await connect() for _ in range(3)]
    await first.send(request())
    await stage.accept()
    await second.send(request("/up", "Content-Length: 30", method="POST") + b"unread")
    await rig.until(lambda: waiting(rig) == 1)
    await third.send(request("/up", "Content-Length: 30", method="POST"))
    await rig.until(lambda: waiting(rig) == 2)
    await second.send(b"and more")
    getattr(second, leave)()
    await rig.until(lambda: waiting(rig) == 1)
    assert rig.ending("client-closed") + rig.ending("client-reset") == 1
    assert rig.ending("queue-timeout") == 0


async def test_an_upload_waits_with_its_body(bounded, rig, stage, connect):
    bounded()
    first, second = await connect(), await connect()
    await first.send(request())
    server = await stage.accept()
    body = os.urandom(300_000)
    await second.send(request("/up", "Content-Length: 300000", method="POST"))
    await rig.until(lambda: waiting(rig) == 1)
    sending = asyncio.ensure_future(second.send(body))
    await server.head()
    await server.send(answer())
    assert (await server.head()).startswith(b"POST /up ")
    assert await server.read(300_000) == body
    await server.send(answer())
    await second.message()
    await sending


async def test_another_server_with_room_takes_it(rig, stage, spare, connect, tmp_path):
    rig.start(configuration(f"""
        [listeners.web]
        bind = "127.0.0.1:1"
        backend = "app"
        [backends.app]
        algorithm = "round-robin"
        [backends.app.servers]
        a = {{ address = "{stage.address}", max_conns = 1 }}
        b = {{ address = "{spare.address}", max_conns = 2 }}
    """, tmp_path))
    clients = [await connect() for _ in range(4)]
    for client in clients[:3]:
        await client.send(request())
    for server in (stage, spare, spare):
        await (await server.accept()).head()
    await clients[3].send(request())
    await rig.until(lambda: waiting(rig) == 1)
    assert [rig.in_flight(0), rig.in_flight(1)] == [1, 2]
    await spare.peers[0].send(answer())
    assert (await spare.peers[0].head()).startswith(b"GET ")


async def test_when_its_servers_go_down_nobody_waits_on(bounded, rig, stage, connect, tmp_path):
    bounded()
    first, second = await connect(), await connect()
    await first.send(request())
    await stage.accept()
    await second.send(request())
    await rig.until(lambda: waiting(rig) == 1)
    endpoint = next(iter(rig.plane.in_force.generation.endpoints["app"]))
    rig.plane.update([type(endpoint)(endpoint.backend, endpoint.name, endpoint.address, endpoint.slot, health="down",
                                     max_conns=1)])
    assert (await second.head()).startswith(b"HTTP/1.1 503 ")
    assert rig.ending("no-server") == 1


@pytest.mark.parametrize(("change", "status"), [("max_conns = 2", b"200"), ("weight = 1", b"200"), ("", b"503")])
async def test_a_reload_looks_after_those_who_wait(bounded, rig, stage, connect, tmp_path, change, status):
    bounded()
    first, second = await connect(), await connect()
    await first.send(request())
    await (await stage.accept()).head()
    await second.send(request("/second"))
    await rig.until(lambda: waiting(rig) == 1)
    backend = "app" if change else "other"
    text = f"""
        [listeners.web]
        bind = "127.0.0.1:1"
        backend = "{backend}"
        [backends.{backend}.servers]
        a = {{ address = "{stage.address}", {change or "weight = 1"} }}
    """
    rig.apply(generation(configuration(text, tmp_path), 2))
    if change:
        server = await stage.accept()
        assert (await server.head()).startswith(b"GET /second ")
        await server.send(answer())
    assert (await second.head()).startswith(b"HTTP/1.1 " + status)
    await rig.until(lambda: waiting(rig) == 0)
    assert rig.ending("backend-gone") == (status == b"503")


async def test_most_requests_in_flight(rig, simple, stage, connect):
    simple(backend="max_in_flight = 2")
    clients = [await connect() for _ in range(3)]
    for client in clients[:2]:
        await client.send(request())
        await (await stage.accept()).head()
    await clients[2].send(request())
    assert (await clients[2].message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending("backend-full") == 1
    await stage.peers[0].send(answer())
    await clients[0].message()
    await clients[2].send(request("/again"))
    assert (await stage.peers[0].head()).startswith(b"GET /again ")


async def test_a_retry_waits_for_room_too(rig, stage, refusing, connect, tmp_path):
    rig.start(configuration(f"""
        [listeners.web]
        bind = "127.0.0.1:1"
        backend = "app"
        [backends.app]
        algorithm = "round-robin"
        [backends.app.servers]
        a = {{ address = "{stage.address}", max_conns = 1 }}
        b = {{ address = "{refusing.address}", max_conns = 1 }}
    """, tmp_path))
    first, second = await connect(), await connect()
    await first.send(request())
    server = await stage.accept()
    await server.head()
    await second.send(request("/second"))
    await rig.until(lambda: waiting(rig) == 1)
    await server.send(answer())
    assert (await server.head()).startswith(b"GET /second ")
    await server.send(answer())
    await second.message()
    await rig.until(lambda: rig.board.total(SERVER, 1, fields.SERVER_CONNECTIONS) == 0)


@pytest.fixture
def fds():
    made = open_wakeups(2)
    yield made
    for fd in made:
        os.close(fd)


@pytest.fixture
async def twin(rig, bounded, fds):
    """A second worker on the same scoreboard; the address that it accepts at."""
    rig.plane.wakeups = rig.plane.context.wakeups = Wakeups(fds, 0)
    rig.plane.wakeups.listen(rig.loop, rig.plane.connector.admit_waiting)
    bounded()
    plane = DataPlane(rig.loop, rig.plane.net, rig.board, 1, lambda *server: None, Wakeups(fds, 1))
    plane.prepare(rig.plane.in_force.generation)
    plane.commit()
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    plane.listen("web", sock)
    yield sock.getsockname()[:2]
    ended = asyncio.Event()
    plane.drain(0.0, ended.set)
    plane.cut()
    async with asyncio.timeout(20):
        await ended.wait()


async def test_an_idle_connection_of_another_worker_makes_room(twin, rig, stage, connect):
    one, other = await connect(), await connect(twin)
    for turn in range(4):
        client = (one, other)[turn % 2]
        await client.send(request(f"/{turn}"))
        server = await stage.accept()
        assert (await server.head()).startswith(f"GET /{turn} ".encode())
        assert held(rig) == 1
        await server.send(answer())
        await client.message()


async def test_the_oldest_request_goes_first_whichever_worker_has_it(twin, rig, stage, connect, monkeypatch):
    monkeypatch.setattr("lbd.backend.queue.NEAR", 0.0)      # nothing counts as equally old
    clients = [await connect(twin if number % 2 else None) for number in range(6)]
    for number, client in enumerate(clients):
        await client.send(request(f"/{number}"))
        await rig.until(lambda number=number: waiting(rig) == number and rig.in_flight() == 1)
    seen = []
    for client in clients:
        server = await stage.accept()
        seen.append((await server.head()).split()[1])
        assert held(rig) == 1
        await server.send(answer())
        await client.message()
    assert seen == [b"/0", b"/1", b"/2", b"/3", b"/4", b"/5"]


async def test_a_worker_whose_turn_it_is_and_that_does_not_take_it_holds_up_nobody(twin, rig, stage, connect):
    first, second = await connect(), await connect()
    await first.send(request())
    server = await stage.accept()
    await server.head()
    dead = rig.board.row(1, BACKEND, 0)
    dead.set(fields.BACKEND_QUEUE, 1)
    dead.set(fields.BACKEND_OLDEST, 1.0)
    await second.send(request("/second"))
    await rig.until(lambda: waiting(rig) == 2)
    await server.send(answer())
    await first.message()
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /second ")
    dead.set(fields.BACKEND_QUEUE, 0)
    dead.set(fields.BACKEND_OLDEST, 0)


async def test_connections_of_tcp_mode_wait_too(rig, stage, connect, tmp_path):
    rig.start(configuration(f"""
        [listeners.web]
        bind = "127.0.0.1:1"
        mode = "tcp"
        backend = "app"
        [backends.app.timeouts]
        queue = "10s"
        [backends.app.servers]
        a = {{ address = "{stage.address}", max_conns = 1 }}
    """, tmp_path))
    first, second, third = [await connect() for _ in range(3)]
    server = await stage.accept()
    await rig.until(lambda: waiting(rig) == 2)
    await second.send(b"hello")
    third.reset()
    await rig.until(lambda: waiting(rig) == 1)
    first.close()
    server.close()
    server = await stage.accept()
    assert await server.read(5) == b"hello"
    assert held(rig) == 1
    await server.send(b"welcome")
    assert await second.read(7) == b"welcome"


async def test_a_request_that_is_requeued_again_and_again_has_its_timeout(bounded, rig, stage, connect, monkeypatch):
    bounded("[backends.app.timeouts]\nqueue = \"300ms\"")
    monkeypatch.setattr("lbd.exchange.exchange.reserve", lambda row, field, bound: False)
    client = await connect()
    await client.send(request())
    assert (await client.head()).startswith(b"HTTP/1.1 503 ")
    assert rig.ending("queue-timeout") == 1
    assert stage.accepted.empty()
    assert waiting(rig) == 0
