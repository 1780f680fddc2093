"""Generations: a reload with requests under way, servers and listeners that go, endpoints that change."""

from pathlib import Path

from lbd.backend.snapshot import Generation
from lbd.schema.addresses import Address
from tests.plane import Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, configuration, generation, request

CONFIG = """
[global]
drain_timeout = "{drain}"
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}
{listeners}
[backends.app]
algorithm = "round-robin"
{backend}
[backends.app.servers]
{servers}
"""


def made(directory: Path, number: int, *servers: Stage, drain: str = "30s", listener: str = "", listeners: str = "",
         backend: str = "") -> Generation:
    """A generation; servers keep their slots by their place in the alphabet."""
    named = "\n".join(f'{chr(97 + place)} = "{stage.address}"' for place, stage in enumerate(servers) if stage)
    text = CONFIG.format(drain=drain, listener=listener, listeners=listeners, backend=backend, servers=named)
    return generation(configuration(text, directory), number)


async def begun(rig: Rig, connect: Connect, stage: Stage) -> tuple[Peer, Peer]:
    """A client whose request is at the server."""
    client = await connect()
    await client.send(request("/begun"))
    server = await stage.accept()
    await server.head()
    return client, server


async def test_a_reload_leaves_requests_and_connections_alone(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    client, server = await begun(rig, connect, stage)
    rig.apply(made(tmp_path, 2, stage, listener="max_head = '16KiB'"))
    await server.send(answer())
    head, _ = await client.message()
    assert b"Connection: close" not in head
    for turn in range(3):
        rig.apply(made(tmp_path, 3 + turn, stage))
        await client.send(request(f"/{turn}"))
        assert (await server.head()).startswith(b"GET /%d " % turn)
        await server.send(answer())
        await client.message()
    assert stage.accepted.empty()


async def test_requests_go_to_the_new_servers_and_the_old_ones_finish(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    idle_client, idle = await begun(rig, connect, stage)
    client, server = await begun(rig, connect, stage)
    await idle.send(answer())
    await idle_client.message()
    rig.apply(made(tmp_path, 2, spare))
    assert await idle.rest() == b""
    await idle_client.send(request("/new"))
    new = await spare.accept()
    assert (await new.head()).startswith(b"GET /new ")
    await new.send(answer(b"new"))
    assert (await idle_client.message())[1] == b"new"
    await server.send(answer(b"old"))
    head, body = await client.message()
    assert body == b"old"
    assert b"Connection: close" not in head
    assert await server.rest() == b""
    await client.send(request("/too"))
    assert (await new.head()).startswith(b"GET /too ")


async def test_what_a_removed_server_does_not_finish_in_time_is_cut(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, connect: Connect, tmp_path: Path) -> None:
    rig.apply(made(tmp_path, 1, stage, drain="200ms"))
    simple()
    rig.apply(made(tmp_path, 2, stage, drain="200ms"))
    client, server = await begun(rig, connect, stage)
    other = await connect()
    rig.apply(made(tmp_path, 3, spare))
    await other.send(request())
    new = await spare.accept()
    await new.head()
    await client.ended()
    await server.ended()
    assert rig.ending("drain-cut") == 1
    assert rig.in_flight() == 1
    await new.send(answer())
    await other.message()


async def test_a_request_of_a_removed_backend_finishes_and_the_next_gets_404(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    client, server = await begun(rig, connect, stage)
    text = "[listeners.web]\nbind = '127.0.0.1:1'\n[[listeners.web.routes]]\npath = '/x'\nrespond = { body = 'x' }\n"
    rig.apply(generation(configuration(text, tmp_path), 2))
    await server.send(answer(b"old"))
    assert (await client.message())[1] == b"old"
    assert await server.rest() == b""
    await client.send(request("/x") + request("/y"))
    assert (await client.message())[1] == b"x"
    assert (await client.message())[0].startswith(b"HTTP/1.1 404 ")
    assert rig.in_flight() == 0


async def test_a_repeat_whose_backend_is_gone_gets_503(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    client, server = await begun(rig, connect, stage)
    text = "[listeners.web]\nbind = '127.0.0.1:1'\n[[listeners.web.routes]]\npath = '/x'\nrespond = { body = 'x' }\n"
    rig.apply(generation(configuration(text, tmp_path), 2))
    server.close()
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending("backend-gone") == 1


TWO = "[listeners.old]\nbind = '127.0.0.1:2'\nbackend = 'app'\n"


async def test_clients_of_a_removed_listener_are_sent_away_and_cut_in_the_end(
        rig: Rig, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    config = made(tmp_path, 1, stage, drain="400ms", listeners=TWO).config
    rig.start(config)
    address = rig.addresses["old"]
    staying = await connect(rig.addresses["web"])
    idle, busy, stuck = [await connect(address) for _ in range(3)]
    servers = []
    for client in (busy, stuck):
        await client.send(request())
        servers.append(await stage.accept())
        await servers[-1].head()
    rig.apply(made(tmp_path, 2, stage))
    await servers[0].send(answer())
    head, _ = await busy.message()
    assert b"Connection: close\r\n" in head
    assert await busy.rest() == b""
    assert await idle.rest() == b""
    await stuck.ended()
    assert rig.ending("drain-cut") == 1
    await staying.send(request("/stays"))
    await servers[0].head()
    await servers[0].send(answer())
    assert b"Connection: close" not in (await staying.message())[0]
    assert rig.plane.clients == 1


async def test_a_server_at_another_address_begins_anew(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                       connect: Connect) -> None:
    simple()
    client, server = await begun(rig, connect, stage)
    await server.send(answer())
    await client.message()
    assert rig.plane.in_force.generation is not None
    endpoint, = rig.plane.in_force.generation.endpoints["app"]
    host, _, port = spare.address.partition(":")
    rig.plane.update([endpoint._replace(address=Address(host, int(port)), slot=7)])
    assert await server.rest() == b""
    await client.send(request("/moved"))
    new = await spare.accept()
    assert (await new.head()).startswith(b"GET /moved ")
    assert rig.in_flight(7) == 1
    await new.send(answer())
    await client.message()


async def test_servers_that_go_down_get_no_more_requests(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                         connect: Connect) -> None:
    simple(more=f"b = '{spare.address}'")
    assert rig.plane.in_force.generation is not None
    first, _ = rig.plane.in_force.generation.endpoints["app"]
    rig.plane.update([first._replace(health="down")])
    client = await connect()
    for turn in range(4):
        await client.send(request(f"/{turn}"))
        server = server if turn else await spare.accept()  # noqa: F821
        await server.head()
        await server.send(answer())
        await client.message()
    rig.plane.update([first._replace(health="up")])
    rig.plane.update([rig.plane.in_force.generation.endpoints["app"][1]._replace(mode="maint")])
    await client.send(request("/back"))
    assert (await (await stage.accept()).head()).startswith(b"GET /back ")


async def test_proxies_that_are_trusted_no_more(rig: Rig, simple: Simple, stage: Stage, connect: Connect,
                                                tmp_path: Path) -> None:
    simple(more="[global]\ntrusted_proxies = ['127.0.0.0/8']\n")
    client = await connect()
    spoofed = request("/", "X-Forwarded-For: 192.0.2.1")
    await client.send(spoofed)
    server = await stage.accept()
    assert b"192.0.2.1" in await server.head()
    await server.send(answer())
    await client.message()
    rig.apply(made(tmp_path, 2, stage))
    await client.send(spoofed)
    assert b"192.0.2.1" not in await server.head()


async def test_a_discarded_generation_changes_nothing(rig: Rig, simple: Simple, stage: Stage, spare: Stage,
                                                      connect: Connect, tmp_path: Path) -> None:
    simple()
    rig.plane.prepare(made(tmp_path, 2, spare))
    rig.plane.discard()
    rig.plane.commit()
    await begun(rig, connect, stage)
    assert rig.plane.in_force.generation is not None
    assert rig.plane.in_force.generation.number == 1
