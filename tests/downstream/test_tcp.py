"""TCP mode: a server per connection, bytes as they are, half-closes, failures and limits."""

import asyncio
import contextlib
import hashlib
import json
import os
import select
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lbd.stats import fields, scoreboard
from tests.rig import LIMIT, Peer, Rig, Silent, Stage, configuration

CONFIG = """
[timeouts]
connect = "200ms"
tunnel = "{tunnel}"
[listeners.db]
bind = "127.0.0.1:1"
mode = "tcp"
backend = "db"
[backends.db]
algorithm = "round-robin"
{more}
[backends.db.servers]
{servers}
"""


def start(rig: Rig, directory: Path, *addresses: str, more: str = "", tunnel: str = "1h",
          bound: str = "", log: str = "") -> None:
    servers = "\n".join(f'{name} = {{ address = "{address}"{bound} }}'
                        for name, address in zip("abcd", addresses, strict=False))
    rig.start(configuration(CONFIG.format(servers=servers, more=more, tunnel=tunnel) + log, directory))


@pytest.fixture
async def pair(rig: Rig, stage: Stage, tmp_path: Path) -> AsyncIterator[tuple[Peer, Peer]]:
    """A client and the server that it is connected to."""
    start(rig, tmp_path, stage.address)
    client = await Peer.connect(rig.address)
    server = await stage.accept()
    yield client, server
    client.close()
    server.close()


async def test_bytes_pass_both_ways_as_they_are(pair: tuple[Peer, Peer]) -> None:
    client, server = pair
    await server.send(b"220 speaks first\r\n")
    assert await client.read(18) == b"220 speaks first\r\n"
    await client.send(b"GET / is no request here\r\n\r\n\0")
    assert await server.read(29) == b"GET / is no request here\r\n\r\n\0"


async def test_half_closed_connections_are_relayed_faithfully(rig: Rig, pair: tuple[Peer, Peer]) -> None:
    client, server = pair
    await client.send(b"question")
    client.half_close()
    assert await server.rest() == b"question"
    await server.send(b"answer")
    server.half_close()
    assert await client.rest() == b"answer"
    await rig.until(lambda: rig.ending("tunnel-closed") == 1)
    assert rig.in_flight() == 0


async def test_the_server_may_end_first(rig: Rig, pair: tuple[Peer, Peer]) -> None:
    client, server = pair
    server.half_close()
    assert await client.rest() == b""
    await client.send(b"late")
    client.half_close()
    assert await server.rest() == b"late"
    await rig.until(lambda: rig.ending("tunnel-closed") == 1)


async def test_a_client_that_ends_before_the_server_is_connected(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    start(rig, tmp_path, stage.address)
    client = await Peer.connect(rig.address)
    client.writer.write(b"all there is")
    client.half_close()
    server = await stage.accept()
    assert await server.rest() == b"all there is"
    server.close()
    assert await client.rest() == b""
    client.close()


@pytest.mark.parametrize("who", ["client", "server"])
async def test_a_reset_ends_both_sides(rig: Rig, pair: tuple[Peer, Peer], who: str) -> None:
    client, server = pair
    (client if who == "client" else server).reset()
    other = server if who == "client" else client
    with contextlib.suppress(ConnectionError):
        assert await other.rest() == b""
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.in_flight() == 0
    assert rig.ending("tunnel-closed") == 1


async def test_connections_count_as_in_flight_and_are_spread(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    other = await Stage().start()
    start(rig, tmp_path, stage.address, other.address)
    clients = [await Peer.connect(rig.address) for _ in range(4)]
    servers = [await from_stage.accept() for from_stage in (stage, other, stage, other)]
    assert (rig.in_flight(0), rig.in_flight(1)) == (2, 2)
    for peer in (*clients, *servers):
        peer.close()
    await rig.until(lambda: rig.in_flight(0) + rig.in_flight(1) == 0)
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS_TOTAL) == 2
    other.close()


async def test_a_refused_connect_goes_to_another_server(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    gone = await Stage().start()
    gone.close()
    start(rig, tmp_path, gone.address, stage.address)
    client = await Peer.connect(rig.address)
    await client.send(b"hello")
    server = await stage.accept()
    assert await server.read(5) == b"hello"
    assert rig.suspected == [("db", "a")]
    client.close()
    server.close()


async def test_no_server_at_all_cuts_the_connection(rig: Rig, tmp_path: Path) -> None:
    gone = await Stage().start()
    gone.close()
    start(rig, tmp_path, gone.address)
    client = await Peer.connect(rig.address)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.read(1)
    assert rig.ending("connect-refused") == 1
    client.close()


async def test_silence_beyond_the_limit_cuts_the_tunnel(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    start(rig, tmp_path, stage.address, tunnel="300ms")
    client = await Peer.connect(rig.address)
    server = await stage.accept()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.read(1)
    assert rig.ending("tunnel-timeout") == 1
    client.close()
    server.close()


async def test_a_source_stays_with_its_server_until_that_fails(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    other = await Stage().start()
    start(rig, tmp_path, stage.address, other.address, more="sticky = {}")
    for _ in range(4):
        client = await Peer.connect(rig.address)
        server = await stage.accept()
        client.close()
        server.close()
    stage.close()
    for _ in range(2):
        client = await Peer.connect(rig.address)
        server = await other.accept()
        client.close()
        server.close()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS_TOTAL) == 4
    other.close()


@pytest.mark.parametrize("up", [True, False])
async def test_large_streams_arrive_whole_at_the_pace_of_the_slower_side(pair: tuple[Peer, Peer], up: bool) -> None:
    sender, receiver = pair if up else reversed(pair)
    piece = bytes(range(256)) * 1024
    sent, got = hashlib.sha256(), hashlib.sha256()

    async def send() -> None:
        for _ in range(64):
            sent.update(piece)
            await sender.send(piece)
        sender.half_close()

    async def receive() -> None:
        async with asyncio.timeout(LIMIT):
            while data := await receiver.reader.read(2**18):
                got.update(data)

    await asyncio.gather(send(), receive())
    assert sent.digest() == got.digest()


async def test_a_connect_that_takes_too_long_goes_to_another_server(rig: Rig, stage: Stage, silent: Silent,
                                                                    tmp_path: Path) -> None:
    start(rig, tmp_path, silent.address, stage.address)
    client = await Peer.connect(rig.address)
    await client.send(b"hello")
    server = await stage.accept()
    assert await server.read(5) == b"hello"
    client.close()
    server.close()


async def test_full_servers_have_their_clients_wait_in_order(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    start(rig, tmp_path, stage.address, bound=", max_conns = 1", more="timeouts = { queue = '10s' }")
    first = await Peer.connect(rig.address)
    held = await stage.accept()
    waiting = [await Peer.connect(rig.address) for _ in range(2)]
    for number, client in enumerate(waiting):
        await client.send(b"%d" % number)
    await rig.until(lambda: rig.plane.clients == 3)
    assert stage.accepted.empty()
    for number, client in enumerate(waiting):
        (first if number == 0 else waiting[0]).reset()
        server = await stage.accept()
        assert await server.read(1) == b"%d" % number
        await server.send(b"yours")
        assert await client.read(5) == b"yours"
    held.close()
    waiting[1].close()


async def test_who_waits_too_long_is_closed(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    start(rig, tmp_path, stage.address, bound=", max_conns = 1", more="timeouts = { queue = '200ms' }")
    first = await Peer.connect(rig.address)
    await stage.accept()
    second = await Peer.connect(rig.address)
    await second.ended()
    assert rig.ending("queue-timeout") == 1
    first.close()
    second.close()


async def test_a_line_of_the_access_log(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    start(rig, tmp_path, stage.address, log="[log]\naccess = 'stdout'")
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    rig.plane.log_to(theirs)
    client = await Peer.connect(rig.address)
    server = await stage.accept()
    await client.send(b"question")
    await server.read(8)
    await server.send(b"long answer")
    server.half_close()
    assert await client.rest() == b"long answer"
    client.half_close()
    await rig.until(lambda: bool(select.select([ours], [], [], 0)[0]))
    line = json.loads(os.read(ours, 10_000))
    os.close(ours)
    client.close()
    server.close()
    expected = {"listener": "db", "backend": "db", "server": "a", "client": "127.0.0.1", "method": None, "status": 0,
                "bytes_in": 8, "bytes_out": 11, "ending": "tunnel-closed"}
    assert {name: line[name] for name in expected} == expected
