"""Repeats that the configuration asks for: after a timeout, a status, a server's fall; their budget; kept bodies."""

from dataclasses import replace

import pytest

from lbd.exchange.retry import LEAST
from lbd.stats import fields
from lbd.stats.scoreboard import BACKEND, SERVER, now
from tests.rig import answer, configuration, generation, request, warm

UNAVAILABLE = answer(b"no", status="503 Service Unavailable")


@pytest.fixture
def two(rig, stage, spare, tmp_path):
    """Two servers in turn; the first one is the stage."""
    def start(backend="", first="", stage=stage):
        rig.start(configuration(f"""
            [listeners.web]
            bind = "127.0.0.1:1"
            backend = "app"
            [backends.app]
            algorithm = "round-robin"
            {backend}
            [backends.app.servers]
            a = {{ address = "{stage.address}" {first} }}
            b = "{spare.address}"
        """, tmp_path))
    return start


def counted(rig, field):
    return rig.board.total(BACKEND, 0, field)


async def test_a_status_that_another_server_may_better(rig, two, stage, spare, connect):
    two('retry_on = ["503"]')
    client = await connect()
    await client.send(request("/x"))
    first = await stage.accept()
    await first.head()
    for piece in (UNAVAILABLE[:5], UNAVAILABLE[5:10], UNAVAILABLE[10:]):
        await first.send(piece)
    second = await spare.accept()
    assert (await second.head()).startswith(b"GET /x ")
    assert counted(rig, fields.BACKEND_RETRYING) == 1
    await second.send(answer(b"better"))
    assert (await client.message())[1] == b"better"
    await rig.until(lambda: rig.in_flight(0) == rig.in_flight(1) == 0)
    assert counted(rig, fields.BACKEND_RETRIES_STATUS) == 1
    assert counted(rig, fields.BACKEND_RETRYING) == 0


@pytest.mark.parametrize(("backend", "sent"), [
    ("", request()),
    ('retry_on = ["502"]', request()),
    ('retry_on = ["503"]\nretries = 0', request()),
    ('retry_on = ["503"]', request(method="POST", body=b"x")),
])
async def test_a_status_that_the_client_gets(rig, two, stage, connect, backend, sent):
    two(backend)
    client = await connect()
    await client.send(sent)
    server = await stage.accept()
    await server.message()
    await server.send(UNAVAILABLE)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")
    assert counted(rig, fields.BACKEND_RETRIES_STATUS) == 0


async def test_when_every_server_says_no_the_client_gets_the_last_answer(rig, two, stage, spare, connect):
    two('retry_on = ["503"]\nretries = 5')
    client = await connect()
    await client.send(request())
    for server in (stage, spare):
        peer = await server.accept()
        await peer.head()
        await peer.send(UNAVAILABLE)
    assert (await client.message())[1] == b"no"


async def test_the_budget(rig, two, stage, spare, connect):
    two('retry_on = ["503"]')
    rig.board.row(1, BACKEND, 0).set(fields.BACKEND_RETRYING, LEAST)
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(UNAVAILABLE)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")
    assert counted(rig, fields.BACKEND_RETRIES_DENIED) == 1
    rig.board.row(1, BACKEND, 0).set(fields.BACKEND_IN_FLIGHT, 100)      # 20 % of them may be repeats
    await client.send(request())
    other = await spare.accept()
    await other.head()
    await other.send(UNAVAILABLE)
    again = await stage.accept()
    await again.head()
    await again.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("retry", "status"), [('retry_on = "timeout"', b"200"), ("", b"504")])
async def test_no_answer_in_time(rig, two, stage, spare, connect, retry, status):
    two(f'{retry}\n[backends.app.timeouts]\nserver = "150ms"')
    client = await connect()
    await client.send(request())
    await (await stage.accept()).head()
    if retry:
        server = await spare.accept()
        await server.head()
        await server.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 " + status)
    assert counted(rig, fields.BACKEND_RETRIES_TIMEOUT) == bool(retry)


@pytest.mark.parametrize(("method", "size", "repeated"), [
    ("PUT", 10_000, True), ("PUT", 200_000, False), ("POST", 10_000, False)])
async def test_a_body_in_pieces_is_repeated_while_it_is_kept(rig, two, stage, spare, connect, method, size, repeated):
    two()
    client = await connect()
    half = b"x" * (size // 2)
    await client.send(request("/up", f"Content-Length: {size}", method=method))
    first = await stage.accept()
    await first.head()
    await client.send(half)
    assert await first.read(len(half)) == half
    first.reset()
    if repeated:
        second = await spare.accept()
        await second.head()
        assert await second.read(len(half)) == half
        await client.send(b"y" * len(half))
        assert await second.read(len(half)) == b"y" * len(half)
        await second.send(answer(b"done"))
        assert (await client.message())[1] == b"done"
    else:
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")
        assert spare.accepted.empty()


DOWN = {"health": "down"}
CUT = {"mode": "maint", "cut": 1.0}      # long ago: now


def told(rig, changes):
    """The first server is otherwise from now on."""
    rig.plane.update([rig.plane.in_force.generation.endpoints["app"][0]._replace(**changes)])


@pytest.mark.parametrize(("settings", "changes", "ending", "method", "status"), [
    ('on_down = "cut"', DOWN, "server-down", "GET", b"200"),
    ('on_down = "cut"', DOWN, "server-down", "POST", b"502"),
    ("", DOWN, "server-down", "GET", b"201"),
    ("", CUT, "operator-cut", "GET", b"200"),
    ("", CUT, "operator-cut", "POST", b"503"),
    ("retries = 0", CUT, "operator-cut", "GET", b"503"),
    ("", {**CUT, "cut": 0.0}, "operator-cut", "GET", b"201"),
])
async def test_a_server_that_goes_down_or_is_cut_with_requests_in_flight(rig, two, stage, spare, connect, settings,
                                                                        changes, ending, method, status):
    two(settings)
    client = await connect()
    await client.send(request(method=method))
    first = await stage.accept()
    await first.head()
    told(rig, changes)
    if status == b"201":
        await first.send(answer(status="201 Created"))
    elif status == b"200":
        second = await spare.accept()
        await second.head()
        await second.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 " + status)
    assert rig.ending(ending) == (status in (b"502", b"503"))
    if status != b"201":
        await first.ended()
    assert rig.board.total(SERVER, 0, fields.SERVER_FAILURES) == (changes is DOWN and status != b"201")


async def test_what_was_not_sent_yet_goes_elsewhere_without_a_repeat(rig, two, spare, connect, silent):
    two("retries = 0", stage=silent)
    client = await connect()
    await client.send(request(method="POST", body=b"x"))
    await rig.until(lambda: rig.in_flight(0) == 1)
    told(rig, CUT)
    second = await spare.accept()
    await second.message()
    await second.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("settings", "changes", "ending"), [
    ('on_down = "cut"', DOWN, "server-down"), ("", CUT, "operator-cut")])
@pytest.mark.parametrize("length", ["Content-Length: 100", "Connection: close"])
async def test_an_answer_on_its_way_is_cut_with_its_server(rig, two, stage, connect, settings, changes, ending, length):
    two(settings)
    client = await connect()
    await client.send(request())
    first = await stage.accept()
    await first.head()
    await first.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\nabc".encode())
    await client.head()
    assert await client.read(3) == b"abc"
    told(rig, changes)
    with pytest.raises((ConnectionError, EOFError)):    # by its length, or by a reset
        await client.read(97) if "100" in length else await client.rest()
    await rig.until(lambda: rig.ending(ending) == 1)


@pytest.mark.parametrize(("settings", "changes"), [('on_down = "cut"', DOWN), ("", CUT)])
async def test_idle_connections_are_cut_with_their_server(rig, two, stage, spare, connect, settings, changes):
    two(settings)
    client, server = await warm(connect, stage)
    _, other = await warm(connect, spare)
    told(rig, changes)
    await server.ended()
    await client.send(request())
    await other.head()                  # where the other one's connection still is
    await other.send(answer())
    await client.message()


async def test_a_tunnel_is_cut_with_its_server(rig, two, stage, spare, connect):
    two()
    ends = []
    for server in (stage, spare):
        client = await connect()
        await client.send(request("/", "Upgrade: x", "Connection: upgrade"))
        peer = await server.accept()
        await peer.head()
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        await client.head()
        ends.append((client, peer))
    told(rig, CUT)
    for end in ends[0]:
        await end.ended()
    assert rig.ending("operator-cut") == 1
    await ends[1][0].send(b"stays")
    assert await ends[1][1].read(5) == b"stays"


async def test_a_cut_to_come_lasts_over_a_reload(rig, two, stage, connect, tmp_path):
    two()
    client = await connect()
    await client.send(request(method="POST"))
    first = await stage.accept()
    await first.head()
    later = now() + 3600.0
    told(rig, {"mode": "maint", "cut": later})
    text = (tmp_path / "lbd.toml").read_text() + "\n[timeouts]\nserver = '10s'"
    wanted = generation(configuration(text, tmp_path), 2)
    endpoint, other = wanted.endpoints["app"]
    rig.apply(replace(wanted, endpoints={"app": (endpoint._replace(mode="maint", cut=later), other)}))
    await rig.tick()
    assert rig.in_flight(0) == 1
    rig.plane.draining.tick(later)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending("operator-cut") == 1


@pytest.mark.parametrize("busy", [False, True])
async def test_connections_from_before_a_reload_follow_it(rig, two, stage, spare, connect, tmp_path, busy):
    if rig.poller is None:
        pytest.skip("the loop's own transports remember the methods that they call")
    two()
    client = await connect()
    await client.send(request())
    first = await stage.accept()
    await first.head()
    if not busy:
        await first.send(answer())
        await client.message()
    text = (tmp_path / "lbd.toml").read_text().replace('"round-robin"', '"round-robin"\nretry_on = ["503"]')
    rig.apply(generation(configuration(text, tmp_path), 2))
    if not busy:
        await client.send(request())      # to the other one, whose turn it is
        other = await spare.accept()
        await other.head()
        await other.send(answer())
        await client.message()
        await client.send(request())
        await first.head()
    await first.send(UNAVAILABLE)
    other = await spare.accept()
    await other.head()
    await other.send(answer(b"better"))
    assert (await client.message())[1] == b"better"
