"""Calls of libssl below the module: they are made here, and connections are the same without them."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbd.net import libssl
from lbd.net.secure import NotTls

from .conftest import Bench, Peer
from .test_secure import Bed


@pytest.fixture(params=[True, False], ids=["libssl", "module"])
def direct(request: pytest.FixtureRequest) -> Iterator[bool]:
    if not request.param:
        libssl.forget()
    yield request.param
    libssl.learn()


def test_it_works_here() -> None:
    assert libssl.works()


def test_it_can_be_left_out(direct: bool) -> None:
    assert libssl.works() is direct


async def test_a_connection_from_end_to_end(bench: Bench, tmp_path: Path, direct: bool) -> None:
    bed = Bed(bench, tmp_path).listen()
    client = Peer(connection_made=lambda peer: peer.transport.write(b"hello"))
    bed.connect(client)
    assert await client.got(5) == b"hello"
    client.transport.write_eof()
    await bed.made[0].told("eof_received")
    await client.told("connection_lost")
    assert client.exc is None
    assert bed.made[0].exc is None


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\0\x05hello", b"\x16" + bytes(60)])
async def test_why_a_handshake_failed(bench: Bench, tmp_path: Path, direct: bool, sent: bytes) -> None:
    bed = Bed(bench, tmp_path).listen()
    raw = socket.create_connection(bed.where[1])
    bench.sockets.append(raw)
    raw.send(sent)
    await bench.until(lambda: bool(bed.made) and "connection_lost" in bed.made[0].calls)
    error = bed.made[0].exc
    assert isinstance(error, ssl.SSLError)
    assert not isinstance(error, NotTls)
    assert error.reason


async def test_a_server_that_is_not_trusted(bench: Bench, tmp_path: Path, direct: bool) -> None:
    bed = Bed(bench, tmp_path).listen()
    bed.context = ssl.create_default_context()
    client = Peer()
    bed.connect(client)
    await client.told("connection_lost")
    assert isinstance(client.exc, ssl.SSLCertVerificationError)
    assert client.exc.reason == "CERTIFICATE_VERIFY_FAILED"
    await bed.made[0].told("connection_lost")
    assert "UNKNOWN_CA" in str(bed.made[0].exc)
