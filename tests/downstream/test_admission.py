"""The admission of clients: who may come in, who may not, and how many; accepting pauses at the limit."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lbd.backend.snapshot import Generation
from tests.plane import Connect, Simple, refusal
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


async def test_accepting_pauses_at_the_limit_and_goes_on_below_it(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    limited = replace(made(tmp_path, 2, stage), max_connections=2)
    rig.apply(limited)
    clients = [await connect() for _ in range(4)]
    for client in clients:
        client.writer.write(request("/", "Connection: close"))
    served = 0
    while served < 4:
        assert rig.plane.clients <= 2
        server = await stage.accept()
        await server.head()
        await server.send(answer(b"", "Connection: close"))
        served += 1
    for client in clients:
        await client.message()
    assert rig.ending("ok") == 4


async def test_a_reload_that_lifts_the_limit_lets_the_waiting_in(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    rig.apply(replace(made(tmp_path, 2, stage), max_connections=1))
    first = await connect()
    await rig.until(lambda: rig.plane.admission.paused)
    second = await connect()
    second.writer.write(request("/waits"))
    rig.apply(made(tmp_path, 3, stage))
    assert (await (await stage.accept()).head()).startswith(b"GET /waits ")
    rig.apply(replace(made(tmp_path, 4, stage), max_connections=1))
    assert rig.plane.admission.paused
    first.close()
    second.reset()
    await rig.until(lambda: not rig.plane.admission.paused)


async def refused(connect: Connect) -> None:
    """A connection that ends at once."""
    with contextlib.suppress(ConnectionError):
        client = await connect()
        await client.ended()


async def served(client: Peer, stage: Stage, server: Peer | None = None) -> Peer:
    """A request is answered; returns the connection to the server."""
    await client.send(request())
    server = server or await stage.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    return server


async def test_who_is_denied(rig: Rig, simple: Simple, connect: Connect, told: list[Any]) -> None:
    simple(listener='deny = ["127.0.0.0/8"]')
    await refused(connect)
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("denied") == 1
    assert refusal(told) == ("127.0.0.1", "denied", "the client's address is not allowed here")


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize(("bound", "ending"), [
    ("max_connections = 2", "listener-full"), ("max_connections_per_client = 2", "client-full")])
async def test_one_too_many_is_closed_at_once_and_the_others_stay(
        rig: Rig, simple: Simple, connect: Connect, stage: Stage, mode: str, bound: str, ending: str) -> None:
    simple(listener=f"mode = '{mode}'\n{bound}")
    first, second = await connect(), await connect()
    await rig.until(lambda: rig.plane.clients == 2)
    for count in (1, 2):
        await refused(connect)
        await rig.until(lambda: rig.plane.clients == 2)
        assert rig.ending(ending) == count
    if mode == "http":
        server = await served(first, stage)
        await served(second, stage, server)
    first.reset()
    await rig.until(lambda: rig.plane.clients == 1)
    third = await connect()
    await rig.until(lambda: rig.plane.clients == 2)
    if mode == "http":
        await served(third, stage, server)
    assert rig.ending(ending) == 2


async def test_a_rate_of_new_connections(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(listener="accept_rate = 3")
    for _ in range(3):
        await connect()
    await rig.until(lambda: rig.plane.clients == 3)
    await refused(connect)
    await rig.until(lambda: rig.ending("accept-rate") == 1)
    for _ in range(11):
        await rig.tick()
    await connect()
    await rig.until(lambda: rig.plane.clients == 4)
    assert rig.ending("accept-rate") == 1


async def test_a_reload_that_takes_the_bound_away(rig: Rig, simple: Simple, connect: Connect) -> None:
    simple(listener="max_connections = 1")
    await connect()
    await rig.until(lambda: rig.plane.clients == 1)
    await refused(connect)
    simple()
    for _ in range(3):
        await connect()
    await rig.until(lambda: rig.plane.clients == 4)
