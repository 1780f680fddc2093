"""Tests of lbd.proxy.tls: what listeners show, and connections to servers that are TLS."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from lbd import schema
from lbd.errors import LbdError
from lbd.proxy.tls import TlsContexts, server_name
from lbd.schema.tls import BackendTls, ListenerTls, Pair
from lbd.tls.certificate import load_pem
from lbd.tls.credentials import Credentials
from tests.authority import Authority
from tests.rig import LIMIT, Peer, Rig, Stage, answer, configuration, generation, request

PLACE = ("listeners", "web")


def listener(**more: object) -> schema.ListenerConfig:
    return schema.ListenerConfig(bind=(), tls=ListenerTls(certificates=(Pair("a.pem"),)), **more)  # type: ignore[arg-type]


def test_it_lives_on_until_something_changes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    given = {PLACE: Credentials((load_pem("a.pem", authority.issue("a.pem", "a").read_bytes(), b""),))}
    contexts = TlsContexts()
    first = contexts.server_tls("web", listener(), given)
    assert first is not None
    assert contexts.server_tls("web", listener(backlog=5), dict(given)) is first
    assert contexts.server_tls("web", listener(mode="tcp"), given) is not first
    renewed = {PLACE: Credentials((load_pem("a.pem", authority.issue("a.pem", "a").read_bytes(), b""),))}
    assert contexts.server_tls("web", listener(), renewed) is not first
    assert contexts.server_tls("web", schema.ListenerConfig(bind=()), given) is None


def test_what_is_wrong_is_said_with_its_place() -> None:
    with pytest.raises(LbdError, match=r"^listeners\.web\.tls\.certificates: there is none"):
        TlsContexts().server_tls("web", listener(), {})


@pytest.mark.parametrize(("given", "host", "name"), [
    (None, "a.example.com", "a.example.com"), (None, "a.example.com.", "a.example.com"), ("b.test.", "a", "b.test"),
    (None, "fe80::1%eth0", "fe80::1"), (None, "", None),
])
def test_the_name_that_a_server_is_asked_for(given: str | None, host: str, name: str | None) -> None:
    assert server_name(schema.BackendConfig(tls=BackendTls(server_name=given)), host) == name


SERVERS = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}
[backends.app]
{backend}
[backends.app.servers]
a = "{address}"
"""


class Servers:
    """A rig before a server that ends TLS itself, as "server.test"."""

    def __init__(self, rig: Rig, directory: Path) -> None:
        self.rig = rig
        self.authority = Authority(directory)
        self.directory = directory
        self.taken: asyncio.Queue[Peer] = asyncio.Queue()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.authority.issue("server.pem", "server.test"))
        self.asked: list[str | None] = []
        self.context.sni_callback = lambda sock, name, context: self.asked.append(name)
        self.number = 0

    async def start(self, backend: str = 'tls.server_name = "server.test"', listener: str = "", scheme: str = "",
                    shown: Path | None = None, believed: bool = True) -> None:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.taken.put(Peer(reader, writer))

        if not self.number:
            self.server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=self.context)
        self.number += 1
        port = self.server.sockets[0].getsockname()[1]
        text = SERVERS.format(address=f"{scheme}127.0.0.1:{port}", backend=backend, listener=listener)
        pems = (load_pem("c", shown.read_bytes(), b""),) if shown else ()
        given = Credentials(pems, self.authority.file.read_bytes() if believed else b"")
        made = replace(generation(configuration(text, self.directory), self.number),
                       credentials={("backends", "app"): given})
        self.rig.apply(made)
        if self.number == 1:
            sock = socket.create_server(("127.0.0.1", 0))
            self.rig.address = sock.getsockname()[:2]
            self.rig.plane.listen("web", sock)

    async def accept(self) -> Peer:
        async with asyncio.timeout(LIMIT):
            return await self.taken.get()


@pytest.fixture
async def servers(rig: Rig, tmp_path: Path) -> AsyncIterator[Servers]:
    made = Servers(rig, tmp_path)
    yield made
    if made.number:
        made.server.close()


async def exchanged(servers: Servers, client: Peer, server: Peer | None = None, size: int = 5) -> Peer:
    await client.send(request("/x", body=b"y" * 40_000, method="PUT"))
    server = server or await servers.accept()
    head, body = await server.message()
    assert head.startswith(b"PUT /x ")
    assert body == b"y" * 40_000
    await server.send(answer(b"z" * size))
    assert (await client.message())[1] == b"z" * size
    return server


async def test_servers_are_spoken_to_with_tls(servers: Servers) -> None:
    await servers.start()
    client = await Peer.connect(servers.rig.address)
    server = await exchanged(servers, client, size=300_000)
    await exchanged(servers, client, server)        # on the same connection
    assert servers.asked == ["server.test"]
    assert servers.rig.ending("ok") == 2
    server.close()
    second = await exchanged(servers, client)
    assert second.writer.get_extra_info("ssl_object").session_reused
    second.close()
    client.close()


async def test_an_https_address_is_enough(servers: Servers) -> None:
    servers.context.load_cert_chain(servers.authority.issue("ip.pem", "127.0.0.1"))
    await servers.start(backend="", scheme="https://")
    client = await Peer.connect(servers.rig.address)
    (await exchanged(servers, client)).close()
    assert servers.asked == [None]      # an address is no name to ask for
    client.close()


@pytest.mark.parametrize(("backend", "believed"), [
    ('tls.server_name = "other.test"', True), ("tls = true", True), ('tls.server_name = "server.test"', False),
])
async def test_a_server_that_is_not_who_it_should_be(servers: Servers, backend: str, believed: bool) -> None:
    await servers.start(backend=backend, believed=believed)
    client = await Peer.connect(servers.rig.address)
    await client.send(request("/", "X-Secret: 1"))
    assert (await client.head()).startswith(b"HTTP/1.1 502 ")
    assert servers.rig.ending("server-tls") == 1
    assert servers.taken.empty()
    assert servers.rig.suspected
    client.close()


async def test_unless_it_is_said_in_so_many_words(servers: Servers) -> None:
    await servers.start(backend="tls.verify = false", believed=False)
    client = await Peer.connect(servers.rig.address)
    (await exchanged(servers, client)).close()
    client.close()


async def test_a_server_without_tls(servers: Servers, stage: Stage) -> None:
    servers.server, servers.number = stage.server, 1
    await servers.start(backend="tls = true\nretries = 0")
    sock = socket.create_server(("127.0.0.1", 0))
    servers.rig.plane.listen("web", sock)
    client = await Peer.connect(sock.getsockname()[:2])
    await client.send(request())
    server = await stage.accept()
    await server.read(5)
    await server.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 502 ")
    assert servers.rig.ending("server-tls") == 1
    client.close()
    server.close()


async def test_it_shows_a_certificate_of_its_own(servers: Servers, tmp_path: Path) -> None:
    servers.context.verify_mode = ssl.CERT_REQUIRED
    servers.context.load_verify_locations(servers.authority.file)
    await servers.start(shown=servers.authority.issue("client.pem", "lbd.test", common="lbd"))
    client = await Peer.connect(servers.rig.address)
    server = await exchanged(servers, client)
    subject = server.writer.get_extra_info("peercert")["subject"]
    assert (("commonName", "lbd"),) in subject
    client.close()
    server.close()


async def test_a_body_until_the_end_needs_the_end_of_tls(servers: Servers) -> None:
    await servers.start()
    for whole in (True, False):
        client = await Peer.connect(servers.rig.address)
        await client.send(request())
        server = await servers.accept()
        await server.head()
        await server.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        await client.head()
        assert await client.read(9) == b"all of it"
        if whole:
            server.close()
            await client.rest()
            await servers.rig.until(lambda: servers.rig.ending("ok") == 1)
        else:
            raw = server.writer.get_extra_info("socket")
            with socket.socket(fileno=os.dup(raw.fileno())) as cut:
                cut.shutdown(socket.SHUT_WR)
            await servers.rig.until(lambda: servers.rig.ending("server-cut") == 1)
            server.close()
        client.close()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
async def test_a_server_that_leaves_out_the_end_of_tls_may_do_so_by_a_key(servers: Servers, head: bytes) -> None:
    """A length that was not reached is a cut all the same, and the key takes effect with a reload."""
    await servers.start()
    await servers.start(backend='tls = { server_name = "server.test", close_notify = "optional" }')
    client = await Peer.connect(servers.rig.address)
    await client.send(request())
    server = await servers.accept()
    await server.head()
    await server.send(head + b"all of it")
    await client.head()
    assert await client.read(9) == b"all of it"
    with socket.socket(fileno=os.dup(server.writer.get_extra_info("socket").fileno())) as cut:
        cut.shutdown(socket.SHUT_WR)
    ending = "server-cut" if b"Length" in head else "ok"
    if ending == "ok":
        assert await client.rest() == b""       # in good order, not by a reset
    await servers.rig.until(lambda: servers.rig.ending(ending) == 1)
    client.close()
    server.close()


async def test_a_change_of_tls_closes_idle_connections_only(servers: Servers) -> None:
    await servers.start()
    client = await Peer.connect(servers.rig.address)
    server = await exchanged(servers, client)
    await servers.start(listener="max_uri = '4KiB'")
    await exchanged(servers, client, server)
    await servers.start(backend='tls = { server_name = "server.test", min_version = "1.3" }')
    async with asyncio.timeout(LIMIT):
        assert await server.reader.read() == b""
    (await exchanged(servers, client)).close()
    client.close()
    server.close()


async def test_a_proxy_header_goes_before_tls(servers: Servers) -> None:
    """The PROXY header is read raw; then the server's own TLS takes the socket."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    servers.number = 1
    servers.server = type("Raw", (), {"sockets": [listening], "close": listening.close})()  # type: ignore[assignment]
    await servers.start(backend='send_proxy = "v1"\ntls.server_name = "server.test"')
    sock = socket.create_server(("127.0.0.1", 0))
    servers.rig.plane.listen("web", sock)
    client = await Peer.connect(sock.getsockname()[:2])
    await client.send(request())
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT):
        raw, _ = await loop.sock_accept(listening)
        line = b""
        while not line.endswith(b"\r\n"):
            line += await loop.sock_recv(raw, 1)
        assert line.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ")
        assert (await loop.sock_recv(raw, 1)) == b"\x16"
    raw.close()
    listening.close()
    client.close()
