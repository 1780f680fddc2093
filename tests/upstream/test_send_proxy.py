"""PROXY headers to servers: each connection begins with its client's addresses."""

import struct
from pathlib import Path

import pytest

from lbd.net import proxy_header
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import client_context
from tests.downstream.test_handshake import NAME, Place
from tests.plane import Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, request, warm


async def introduced(server: Peer) -> proxy_header.Header:
    """The header that the server gets."""
    data = b""
    while (header := proxy_header.parse(data)) is None:
        data += await server.read(1)
    assert header.size == len(data)
    return header


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_each_request_has_a_connection_that_tells_of_its_client(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, version: str) -> None:
    simple(backend=f"send_proxy = '{version}'")
    for _ in range(2):
        client = await connect()
        for _ in range(2):
            await client.send(request())
            server = await stage.accept()
            header = await introduced(server)
            assert header.source == client.writer.get_extra_info("sockname")[:2]
            assert header.target == rig.address
            assert (await server.head()).startswith(b"GET / HTTP/1.1\r\n")
            await server.send(answer())
            await client.message()
            assert await server.rest() == b""


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_in_tcp_it_comes_before_anything_else(rig: Rig, simple: Simple, stage: Stage, connect: Connect,
                                                    version: str) -> None:
    simple(backend=f"send_proxy = '{version}'", listener="mode = 'tcp'")
    client = await connect()
    server = await stage.accept()
    assert (await introduced(server)).source == client.writer.get_extra_info("sockname")[:2]
    await client.send(b"hello")
    assert await server.read(5) == b"hello"


async def test_what_the_proxy_before_told_is_told_again(simple: Simple, stage: Stage, connect: Connect) -> None:
    simple(backend="send_proxy = 'v2'", listener="mode = 'tcp'\nproxy_protocol = true",
           more="[global]\ntrusted_proxies = ['127.0.0.1']")
    extras = [(proxy_header.AUTHORITY, b"example.com"), (proxy_header.UNIQUE_ID, b"id"), (0xea, b"of AWS")]
    ends = ("2001:db8::7", 4711), ("2001:db8::1", 443)
    client = await connect()
    await client.send(proxy_header.write(2, *ends, extras))
    server = await stage.accept()
    header = await introduced(server)
    assert (header.source, header.target, header.extras) == (*ends, tuple(extras[:2]))


async def test_a_reload_that_begins_to_introduce_leaves_no_old_connection(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    client, server = await warm(connect, stage)
    address = rig.address
    simple(backend="send_proxy = 'v1'")
    assert await server.rest() == b""
    await client.send(request())
    server = await stage.accept()
    assert (await introduced(server)).target == address


@pytest.mark.parametrize(("certified", "flags", "verify", "name"), [(True, 7, 0, [b"Ann"]), (False, 1, 1, [])])
async def test_what_tls_says_of_the_client(rig: Rig, stage: Stage, tmp_path: Path, certified: bool, flags: int,
                                           verify: int, name: list[bytes]) -> None:
    place = Place(rig, stage, tmp_path)
    place.start(tls="client_ca = 'clients.pem'\nverify = 'optional'\n[backends.app]\nsend_proxy = 'v2'",
                authorities=place.clients.file.read_bytes())
    shown = load_pem("c", place.clients.issue("c.pem", "c", common="Ann").read_bytes(), b"") if certified else None
    _, writer = await place.streams(client_context(ca=place.authority.file.read_bytes(), pem=shown))
    writer.write(request())
    server = await stage.accept()
    header = await introduced(server)
    (authority, asked), (alpn, spoken), (ssl, about) = header.extras
    assert (authority, asked, alpn, spoken) == (proxy_header.AUTHORITY, NAME.encode(), proxy_header.ALPN, b"http/1.1")
    assert (ssl, struct.unpack_from("!BI", about)) == (proxy_header.SSL, (flags, verify))
    parts: dict[int, list[bytes]] = {}
    at = 5
    while at < len(about):
        kind, size = struct.unpack_from("!BH", about, at)
        parts.setdefault(kind, []).append(about[at + 3:at + 3 + size])
        at += 3 + size
    assert parts.pop(proxy_header.SSL_NAME, []) == name
    assert parts == {proxy_header.SSL_VERSION: [b"TLSv1.3"],
                     proxy_header.SSL_CIPHER: [writer.get_extra_info("cipher")[0].encode()]}
    writer.close()


async def test_in_version_1_there_is_no_room_for_that(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    place = Place(rig, stage, tmp_path)
    place.start(tls="[backends.app]\nsend_proxy = 'v1'")
    _, writer = await place.streams()
    writer.write(request())
    server = await stage.accept()
    assert (await introduced(server)).extras == ()
    writer.close()
