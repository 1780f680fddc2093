"""Routing of TLS by its ClientHello: names, protocols, pieces, garbage, and what comes too late."""

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plane import Connect, refusal
from tests.rig import Peer, Rig, Stage, configuration
from tests.waiting import turn

CONFIG = """
[timeouts]
client_header = "{patience}"
[listeners.tls]
bind = "127.0.0.1:1"
mode = "tcp"
{listener}
[[listeners.tls.routes]]
sni = "api.example.com"
alpn = ["h2"]
backend = "h2"
[[listeners.tls.routes]]
sni = "*.example.com"
backend = "wild"
[backends.h2]
servers = {{ a = "{h2}" }}
[backends.wild]
servers = {{ a = "{wild}" }}
[backends.rest]
servers = {{ a = "{rest}" }}
"""

Started = Callable[..., dict[str, Stage]]


@pytest.fixture
async def stages() -> dict[str, Stage]:
    return {name: await Stage().start() for name in ("h2", "wild", "rest")}


@pytest.fixture
def started(rig: Rig, stages: dict[str, Stage], tmp_path: Path) -> Started:
    def start(default: bool = True, patience: str = "10s") -> dict[str, Stage]:
        addresses = {name: stage.address for name, stage in stages.items()}
        listener = 'backend = "rest"' if default else ""
        rig.start(configuration(CONFIG.format(patience=patience, listener=listener, **addresses), tmp_path))
        return stages
    return start


@pytest.fixture(autouse=True)
def closed(stages: dict[str, Stage]) -> object:
    yield
    for stage in stages.values():
        stage.close()


def hello(name: str | None, *protocols: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


async def passed(client: Peer, stage: Stage, sent: bytes) -> None:
    """The server gets what was sent, and both go on."""
    server = await stage.accept()
    assert await server.read(len(sent)) == sent
    await server.send(b"from the server")
    assert await client.read(15) == b"from the server"
    await client.send(b"from the client")
    assert await server.read(15) == b"from the client"


@pytest.mark.parametrize(("sent", "backend"), [
    (hello("api.example.com", "h2"), "h2"), (hello("api.example.com", "http/1.1"), "wild"),
    (hello("api.example.com"), "wild"), (hello("WWW.Example.com"), "wild"), (hello("a.b.example.com"), "wild"),
    (hello("example.com"), "rest"), (hello(None), "rest"), (b"GET / HTTP/1.1\r\n\r\n", "rest"),
])
async def test_where_it_goes(started: Started, connect: Connect, sent: bytes, backend: str) -> None:
    stages = started()
    client = await connect()
    await client.send(sent)
    await passed(client, stages[backend], sent)


async def test_in_pieces(rig: Rig, started: Started, connect: Connect) -> None:
    stages = started()
    client = await connect()
    sent = hello("www.example.com")
    for at in range(0, len(sent), 3):
        await client.send(sent[at:at + 3])
        await turn()
    await passed(client, stages["wild"], sent)


@pytest.mark.parametrize(("sent", "ending"), [
    (hello("other.org"), "no-route"), (hello(None), "no-route"), (b"\0garbage", "bad-client-hello"),
    (b"\x16\3\1\xff\xff", "bad-client-hello"),
])
async def test_without_a_backend_for_it_the_connection_ends(rig: Rig, started: Started, connect: Connect, sent: bytes,
                                                            ending: str, told: list[Any]) -> None:
    started(default=False)
    client = await connect()
    await client.send(sent)
    await client.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending(ending) == 1
    assert refusal(told, "tls")[:2] == ("127.0.0.1", ending)
    assert any(words in refusal(told, "tls")[2] for words in ("'other.org'", "no route takes the name ''", "TLS"))


@pytest.mark.parametrize("sent", [b"", hello("www.example.com")[:40]], ids=["nothing", "a part"])
async def test_what_comes_too_late(rig: Rig, started: Started, connect: Connect, sent: bytes) -> None:
    started(patience="200ms")
    client = await connect()
    await client.send(sent)
    await client.ended()
    assert rig.ending("client-hello-timeout") == 1


async def test_who_ends_before(rig: Rig, started: Started, connect: Connect) -> None:
    started()
    client = await connect()
    await client.send(hello("www.example.com")[:40])
    client.half_close()
    await client.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("client-closed") == 1
