"""A sticky client whose own server is full for a moment: it waits for that server, or goes elsewhere and keeps it."""

from dataclasses import replace

import pytest

from lbd.backend.snapshot import Endpoint
from lbd.stats import fields
from lbd.stats.scoreboard import BACKEND, SERVER
from tests.rig import answer, configuration, generation, request


@pytest.fixture
def pair(rig, stage, spare, tmp_path):
    """Servers a and b that take one request at a time, for clients that stay with theirs."""
    def start(when_full="", queue="10s", mode="http"):
        sticky = f'sticky = {{ when_full = "{when_full}" }}' if when_full else "sticky = true"
        rig.start(configuration(f"""
            [listeners.web]
            bind = "127.0.0.1:1"
            mode = "{mode}"
            backend = "app"
            [backends.app]
            {sticky}
            timeouts = {{ queue = "{queue}" }}
            [backends.app.servers]
            a = {{ address = "{stage.address}", max_conns = 1 }}
            b = {{ address = "{spare.address}", max_conns = 1 }}
        """, tmp_path))
    return start


def cookie(rig, name):
    sticky = rig.plane.in_force.backends["app"].sticky
    token = next(token for token, server in sticky.servers.items() if server.name == name)
    return f"Cookie: LBD={token.decode()}"


def waiting(rig):
    return rig.board.total(BACKEND, 0, fields.BACKEND_QUEUE)


async def occupy(rig, connect, stage, name="a", target="/first"):
    client = await connect()
    await client.send(request(target, cookie(rig, name)))
    server = await stage.accept()
    await server.head()
    return client, server


@pytest.mark.parametrize("when_full", ["", "wait"])
async def test_it_waits_for_its_own_server_and_keeps_its_cookie(pair, rig, stage, spare, connect, when_full):
    pair(when_full)
    first, a = await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    await rig.until(lambda: waiting(rig) == 1)
    other = await connect()             # who has no server yet is not held up
    await other.send(request("/other"))
    b = await spare.accept()
    assert (await b.head()).startswith(b"GET /other ")
    await b.send(answer(b"b"))
    head, _ = await other.message()
    assert b"\r\nSet-Cookie: LBD=" in head
    await a.send(answer(b"1"))
    await first.message()
    assert (await a.head()).startswith(b"GET /second ")
    await a.send(answer(b"2"))
    head, body = await second.message()
    assert body == b"2"
    assert b"Set-Cookie" not in head
    assert waiting(rig) == 0
    assert spare.accepted.empty()


@pytest.mark.parametrize(("when_full", "queue"), [("move", "10s"), ("wait-then-move", "200ms"),
                                                  ("wait-then-move", "0s")])
async def test_it_goes_to_another_for_once_and_keeps_its_cookie(pair, rig, stage, spare, connect, when_full, queue):
    pair(when_full, queue)
    first, a = await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    b = await spare.accept()
    assert (await b.head()).startswith(b"GET /second ")
    await b.send(answer(b"b"))
    head, body = await second.message()
    assert body == b"b"
    assert b"Set-Cookie" not in head
    await a.send(answer())
    await first.message()
    await second.send(request("/again", cookie(rig, "a")))
    assert (await a.head()).startswith(b"GET /again ")
    await a.send(answer())
    await second.message()


@pytest.mark.parametrize(("queue", "ending"), [("200ms", "queue-timeout"), ("0s", "queue-full")])
async def test_it_is_told_when_its_server_does_not_become_free(pair, rig, stage, spare, connect, queue, ending):
    pair("wait", queue)
    await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    assert (await second.message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending(ending) == 1
    assert spare.accepted.empty()


async def test_without_room_anywhere_the_end_of_the_wait_is_a_503(pair, rig, stage, spare, connect):
    pair("wait-then-move", "200ms")
    await occupy(rig, connect, stage)
    await occupy(rig, connect, spare, "b")
    third = await connect()
    await third.send(request("/third", cookie(rig, "a")))
    assert (await third.message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending("queue-timeout") == 1
    assert waiting(rig) == 0


@pytest.mark.parametrize("when_full", ["", "wait"])
async def test_a_server_that_goes_down_meanwhile_is_waited_for_no_more(pair, rig, stage, spare, connect, when_full):
    pair(when_full)
    await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    await rig.until(lambda: waiting(rig) == 1)
    rig.plane.update([endpoint._replace(health="down") for endpoint in rig.plane.in_force.generation.endpoints["app"]
                      if endpoint.name == "a"])
    b = await spare.accept()
    await b.head()
    await b.send(answer())
    assert b"Set-Cookie: LBD=" + cookie(rig, "b").partition("=")[2].encode() in (await second.message())[0]


async def test_a_reload_that_wants_no_waiting_lets_it_go(pair, rig, stage, spare, connect, tmp_path):
    pair("wait")
    await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    await rig.until(lambda: waiting(rig) == 1)
    config = rig.plane.in_force.generation.config
    app = config.backends["app"]
    moving = replace(config, backends={"app": replace(app, sticky=replace(app.sticky, when_full="move"))})
    rig.apply(generation(moving, 2))
    b = await spare.accept()
    await b.head()
    await b.send(answer())
    assert b"Set-Cookie" not in (await second.message())[0]


async def test_a_drained_server_is_waited_for_while_no_other_is_usable(pair, rig, stage, connect):
    pair()
    endpoints: tuple[Endpoint, ...] = rig.plane.in_force.generation.endpoints["app"]
    rig.plane.update([endpoints[0]._replace(mode="drain"), endpoints[1]._replace(health="down")])
    first, a = await occupy(rig, connect, stage)
    second = await connect()
    await second.send(request("/second", cookie(rig, "a")))
    await rig.until(lambda: waiting(rig) == 1)
    await a.send(answer())
    await first.message()
    await a.head()
    await a.send(answer())
    assert (await second.message())[0].startswith(b"HTTP/1.1 200 ")


async def test_who_waits_in_another_worker_and_longer_comes_first(pair, rig, stage, spare, connect):
    pair()
    first, a = await occupy(rig, connect, stage)
    row = rig.board.row(1, SERVER, 0)
    row.set(fields.SERVER_OLDEST, 1.0)
    rig.board.row(1, BACKEND, 0).set(fields.BACKEND_QUEUE, 1)
    await a.send(answer())
    await first.message()
    await rig.until(lambda: rig.board.total(SERVER, 0, fields.SERVER_CONNECTIONS) in (0, 1))
    second = await connect()
    await second.send(request("/second"))       # not to a, which somebody waits for
    b = await spare.accept()
    await b.head()
    await b.send(answer())
    await second.message()
    row.set(fields.SERVER_OLDEST, 0.0)
    rig.board.row(1, BACKEND, 0).set(fields.BACKEND_QUEUE, 0)


async def test_a_connection_of_tcp_waits_for_the_server_of_its_address(pair, rig, stage, connect):
    pair(mode="tcp")
    first = await connect()
    a = await stage.accept()
    second = await connect()
    await rig.until(lambda: waiting(rig) == 1)
    await second.send(b"hello")
    first.close()
    a.close()
    a = await stage.accept()
    assert await a.read(5) == b"hello"


async def test_a_connection_of_tcp_that_was_sent_elsewhere_comes_back(pair, rig, stage, spare, connect):
    pair("move", mode="tcp")
    first = await connect()
    a = await stage.accept()
    await connect()
    await spare.accept()
    first.close()
    a.close()
    await rig.until(lambda: rig.board.total(SERVER, 0, fields.SERVER_CONNECTIONS) == 0)
    await connect()
    await stage.accept()
