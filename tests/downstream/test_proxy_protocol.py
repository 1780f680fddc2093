"""PROXY headers from proxies before lbd: whole, in pieces, late, wrong, and from those who may not send one."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbd.net import proxy_header
from tests.plane import Connect, refusal
from tests.rig import Peer, Rig, Stage, answer, configuration, request

CONFIG = """
[global]
trusted_proxies = ["{trusted}"]
[timeouts]
client_header = "{patience}"
[listeners.web]
bind = "127.0.0.1:1"
mode = "{mode}"
proxy_protocol = true
backend = "app"
{listener}
[backends.app]
algorithm = "source-ip-hash"
servers = {{ a = "{address}" }}
"""
ENDS = ("192.0.2.7", 4711), ("198.51.100.2", 443)
V1 = proxy_header.write(1, *ENDS)
V2 = proxy_header.write(2, *ENDS, [(proxy_header.AUTHORITY, b"example.com")])

Started = Callable[..., None]


@pytest.fixture
def started(rig: Rig, stage: Stage, tmp_path: Path) -> Started:
    def start(mode: str = "http", trusted: str = "127.0.0.1", patience: str = "10s", listener: str = "") -> None:
        rig.start(configuration(CONFIG.format(
            mode=mode, trusted=trusted, patience=patience, listener=listener, address=stage.address), tmp_path))
    return start


async def passed(client: Peer, stage: Stage) -> bytes:
    """The head that the server gets; it answers."""
    server = await stage.accept()
    head = await server.head()
    await server.send(answer())
    assert b"200 OK" in (await client.message())[0]
    return head


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_the_client_is_who_the_header_says(started: Started, connect: Connect, stage: Stage, header: bytes
                                                 ) -> None:
    started()
    client = await connect()
    await client.send(header + request())
    assert b"X-Forwarded-For: 192.0.2.7\r\n" in await passed(client, stage)


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_a_header_in_pieces(rig: Rig, started: Started, connect: Connect, stage: Stage, header: bytes) -> None:
    started()
    client = await connect()
    for place in range(len(header)):
        await client.send(header[place:place + 1])
        if place % 16 == 0:
            await rig.tick()
    await client.send(request())
    assert b"X-Forwarded-For: 192.0.2.7\r\n" in await passed(client, stage)


@pytest.mark.parametrize("header", [proxy_header.local(1), proxy_header.local(2)], ids=["v1", "v2"])
async def test_a_proxy_that_speaks_for_itself(started: Started, connect: Connect, stage: Stage, header: bytes
                                              ) -> None:
    started()
    client = await connect()
    await client.send(header + request())
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in await passed(client, stage)


async def test_in_tcp_the_server_is_chosen_when_the_client_is_known(rig: Rig, started: Started, connect: Connect,
                                                                    stage: Stage) -> None:
    started("tcp")
    client = await connect()
    await rig.until(lambda: rig.plane.clients == 1)
    await rig.tick()
    assert rig.in_flight() == 0
    await client.send(V2 + b"question")
    server = await stage.accept()
    assert await server.read(8) == b"question"
    await server.send(b"answer")
    assert await client.read(6) == b"answer"
    held, = rig.exchanges
    assert held.source == b"192.0.2.7"


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 192.0.2.7\r\n", b"PROXY TCP4 ::1 ::1 1 2\r\n",
    b"PROXY UNKNOWN " + b"x" * 200, proxy_header.SIGNATURE + b"\x21\x11\xff\xff", V2[:-1] + b"\xff",
], ids=["none", "cut", "contradicting", "endless", "too-long", "checksum"])
async def test_what_is_no_header_ends_the_connection(rig: Rig, started: Started, connect: Connect, mode: str,
                                                     sent: bytes, told: list[Any]) -> None:
    started(mode)
    client = await connect()
    await client.send(sent)
    await client.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("proxy-header") == 1
    who, ending, reason = refusal(told)
    assert (who, ending) == ("127.0.0.1", "proxy-header")
    assert "header" in reason


async def test_a_header_that_ends_too_soon(rig: Rig, started: Started, connect: Connect, told: list[Any]) -> None:
    started()
    client = await connect()
    await client.send(V2[:20])
    client.half_close()
    await client.ended()
    await rig.until(lambda: rig.ending("proxy-header") == 1)
    assert refusal(told)[2] == "a header that ends too soon"


async def test_who_only_looks_whether_lbd_is_there_is_no_failure(rig: Rig, started: Started, connect: Connect
                                                                 ) -> None:
    started()
    client = await connect()
    client.half_close()
    await client.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("proxy-header") == 0


@pytest.mark.parametrize("sent", [b"", V2[:20]], ids=["nothing", "a part"])
async def test_a_header_that_does_not_come(rig: Rig, started: Started, connect: Connect, sent: bytes) -> None:
    started(patience="200ms")
    client = await connect()
    await client.send(sent)
    await client.ended()
    assert rig.ending("proxy-timeout") == 1


@pytest.mark.parametrize("sent", [b"", V1 + request()], ids=["nothing", "a header"])
async def test_who_is_not_trusted_is_not_heard(rig: Rig, started: Started, connect: Connect, sent: bytes) -> None:
    started(trusted="192.0.2.0/24")
    with contextlib.suppress(ConnectionError):      # the reset may be there before the loop has told of the connection
        client = await connect()
        client.writer.write(sent)
        await client.ended()
    assert rig.ending("proxy-untrusted") == 1
    assert rig.ending("proxy-header") == 0


async def test_allow_and_deny_mean_the_client(rig: Rig, started: Started, connect: Connect) -> None:
    started(listener='deny = ["192.0.2.0/24"]')
    client = await connect()
    await client.send(V1 + request())
    await client.ended()
    assert rig.ending("denied") == 1
