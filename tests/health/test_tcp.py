"""The check `tcp` against real sockets."""

import os
import socket

import pytest

from lbd.health.check import Subject
from lbd.health.tcp import TcpOptions, check
from lbd.schema.units import Address


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_listening_port_passes_and_a_closed_one_fails(host):
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        address = Address(host, server.getsockname()[1])
        result = await check(Subject(address), TcpOptions(), 5.0)
        assert (result.passed, result.reason) == (True, "connected")
    with socket.socket(server.family) as silent:    # has a port that nobody listens at, and nobody else can take
        silent.bind((host, 0))
        result = await check(Subject(Address(host, silent.getsockname()[1])), TcpOptions(), 5.0)
        assert (result.passed, result.reason) == (False, "connect: connection refused")


async def test_unix_sockets(tmp_path):
    path = str(tmp_path / "s")
    assert (await check(Subject(Address(path=path)), TcpOptions(), 5.0)).reason == "connect: no such socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        assert (await check(Subject(Address(path=path)), TcpOptions(), 5.0)).passed


async def test_an_abstract_unix_socket():
    address = Address(path=f"@lbd-test-tcp-{os.getpid()}")
    assert (await check(Subject(address), TcpOptions(), 5.0)).reason == "connect: connection refused"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.sun_path)
        server.listen()
        assert (await check(Subject(address), TcpOptions(), 5.0)).passed


async def test_a_connection_begins_with_the_greeting():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        address = Address("127.0.0.1", server.getsockname()[1])
        assert (await check(Subject(address, greeting=b"PROXY UNKNOWN\r\n"), TcpOptions(), 5.0)).passed
        with server.accept()[0] as accepted:
            assert accepted.recv(100) == b"PROXY UNKNOWN\r\n"
