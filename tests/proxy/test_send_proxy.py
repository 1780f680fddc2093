"""PROXY headers to servers: each connection begins with its client's addresses."""

import pytest

from lbd.net import proxy_header

from .conftest import Connect, Simple
from .rig import Peer, Rig, Stage, answer, request


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
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    address = rig.address
    simple(backend="send_proxy = 'v1'")
    assert await server.rest() == b""
    await client.send(request())
    server = await stage.accept()
    assert (await introduced(server)).target == address
