"""Clients that come in: who may, who may not, and how many."""

import contextlib
from typing import Any

import pytest

from .conftest import Connect, Simple, refusal
from .rig import Peer, Rig, Stage, answer, request


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
