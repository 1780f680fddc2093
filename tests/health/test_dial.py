"""Connecting for a check: IP addresses, Unix sockets with a file and without."""

import asyncio
import errno
import os
import socket

import pytest

from lbd.health.dial import dial
from lbd.schema.units import Address


def names(tmp_path):
    name = f"lbd-test-{os.getpid()}"
    return [Address(path=str(tmp_path / "s")), Address(path=f"@{name}"),
            Address(path="@" + name.ljust(106, "x"))]    # as long as one can be


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_unix_sockets(tmp_path, number):
    address = names(tmp_path)[number]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.sun_path)
        server.listen(0)
        transport, protocol = await dial(asyncio.Protocol, address)
        assert type(protocol) is asyncio.Protocol
        transport.write(b"hello")
        with server.accept()[0] as accepted:
            accepted.settimeout(20)
            assert accepted.recv(5) == b"hello"
        transport.abort()
        waiting = [await dial(asyncio.Protocol, address)]
        with pytest.raises(BlockingIOError) as caught:
            await dial(asyncio.Protocol, address)
        assert caught.value.errno == errno.EAGAIN, "its backlog is full"
        waiting[0][0].abort()
    with pytest.raises(ConnectionRefusedError):
        await dial(asyncio.Protocol, address)


async def test_ip_addresses():
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport, _ = await dial(asyncio.Protocol, Address("127.0.0.1", server.getsockname()[1]))
        transport.abort()
