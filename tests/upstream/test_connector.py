"""Connections to servers that cannot be opened."""

import errno
import socket

import pytest

from lbd.stats import fields, scoreboard
from tests.plane import Connect, Simple
from tests.rig import Rig, Stage, answer, request


async def test_a_connect_that_cannot_even_begin_is_a_failed_one(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, connect: Connect) -> None:
    simple(more=f"b = {{ address = '{spare.address}', backup = true }}")
    server = next(iter(rig.plane.in_force.backends["app"].servers.values()))
    server.connections.socket_address = (socket.AF_INET, ("not an address", 80))
    client = await connect()
    await client.send(request())
    other = await spare.accept()
    await other.head()
    await other.send(answer())
    assert (await client.message())[0].startswith(b"HTTP/1.1 200 ")
    assert rig.suspected == [("app", "a")]
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0
    assert rig.in_flight(0) == 0


@pytest.mark.parametrize("rig", ["sock"], indirect=True)
async def test_a_shortage_of_this_machine_is_no_servers_fault(rig: Rig, simple: Simple, connect: Connect,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    simple()

    class Net:
        def connect(self, *_: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

    client = await connect()
    monkeypatch.setattr(rig.plane.connector, "_net", Net())
    await client.send(request())
    assert (await client.message())[0].startswith(b"HTTP/1.1 503 ")
    assert rig.ending("out-of-resources") == 1
    assert rig.suspected == []
    for field in (fields.SERVER_FAILURES, fields.SERVER_CONNECTION_ERRORS, fields.SERVER_CONNECTIONS):
        assert rig.board.total(scoreboard.SERVER, 0, field) == 0
