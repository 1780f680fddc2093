"""The interface of transports: every kind has all of its methods, and they mean the same."""

import asyncio
import random
import socket
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from lbd.net.loop_transport import LoopTransport
from lbd.net.secure import Secure
from lbd.net.stream import Sock
from lbd.net.transport import Transport

from .conftest import MB, Bench, Peer
from .conftest import reset as reset_raw
from .far_end import Far
from .test_secure import NAME, Bed

TCPI_SEGS_IN = 140      # of struct tcp_info in <linux/tcp.h>


def segments(sock: socket.socket) -> int:
    """How many segments the socket has received."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int.from_bytes(info[TCPI_SEGS_IN:TCPI_SEGS_IN + 4], sys.byteorder)


METHODS = [name for name in vars(Transport) if not name.startswith("_") and name not in ("idle_since", "source")]


@pytest.mark.parametrize("kind", [Sock, Secure, LoopTransport(Mock(), Mock())])
def test_every_kind_has_them(kind: object) -> None:
    assert len(METHODS) == 18
    assert [name for name in METHODS if not callable(getattr(kind, name, None))] == []


@pytest.fixture(params=["plain", "tls"])
async def made(request: pytest.FixtureRequest, bench: Bench, tmp_path: Any) -> Any:
    """A connection of each kind: its transport, its protocol, and the other end; none has read anything yet."""
    if request.param == "plain":
        peer, raw = await bench.pair(small=4096)
        return SimpleNamespace(transport=peer.transport, peer=peer, far=Far(bench, raw), tls=False)
    bed = Bed(bench, tmp_path)
    bed.hooks = {"connection_made": lambda peer: None}
    bed.listen()
    raw = socket.socket()
    bench.sockets.append(raw)
    raw.setblocking(False)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await bench.loop.sock_connect(raw, bed.where[1])
    far = Far(bench, raw)
    await far.shake(bed.context, NAME)
    await bench.until(lambda: bool(bed.made))
    await bed.made[0].told("secured")
    return SimpleNamespace(transport=bed.made[0].transport, peer=bed.made[0], far=far, tls=True)


@pytest.fixture
def until(bench: Bench) -> Callable[..., Any]:
    return bench.until


async def test_readable_while_something_waits(made: Any, until: Any) -> None:
    transport = made.transport
    assert not transport.is_readable()
    transport.pause_reading()
    await made.far.send(b"12345")
    await until(transport.is_readable)
    assert made.peer.data == b""
    transport.resume_reading()
    assert await made.peer.got(5) == b"12345"
    assert not transport.is_readable()
    transport.pause_reading()
    made.far.raw.shutdown(socket.SHUT_WR)
    await until(transport.is_readable)
    transport.abort()
    assert transport.is_readable()


async def test_unsent_until_the_other_kernel_has_it(made: Any, bench: Bench, until: Any) -> None:
    transport = made.transport
    await until(lambda: transport.unsent() == 0)
    transport.write(bytes(4 * MB))
    assert transport.unsent() > transport.get_write_buffer_size() > 0
    rest = transport.unsent()
    assert rest > 2 * MB
    await bench.read(made.far.raw, MB)
    await until(lambda: 0 < transport.unsent() < rest)
    reading = asyncio.ensure_future(bench.read(made.far.raw, 8 * MB))
    await until(lambda: transport.unsent() == 0)
    transport.close()
    await reading
    await made.peer.told("connection_lost")
    assert transport.unsent() == 0


async def test_a_peer_that_owes_bytes_has_left(made: Any, until: Any) -> None:
    transport = made.transport
    transport.pause_reading()
    wire = await made.far.send(b"12345")
    await until(transport.is_readable)
    assert not transport.peer_left(wire + 1)
    made.far.raw.shutdown(socket.SHUT_WR)
    await until(lambda: transport.peer_left(wire + 1))
    assert not transport.peer_left(wire)
    reset_raw(made.far.raw)
    await until(lambda: transport.peer_left(0))


async def test_a_closed_one_has_no_peer_that_left(made: Any) -> None:
    made.transport.abort()
    await made.peer.told("connection_lost")
    assert not made.transport.peer_left(1)


async def test_reset_is_one(made: Any, bench: Bench) -> None:
    made.transport.reset()
    assert made.transport.is_closing()
    await made.peer.told("connection_lost")
    with pytest.raises(ConnectionResetError):
        await bench.read(made.far.raw)
    made.transport.reset()


@pytest.mark.parametrize("size", [0, 5, 16384, 16385, 2 * MB])
async def test_the_last_bytes_and_the_end(made: Any, bench: Bench, size: int) -> None:
    data = random.Random(size).randbytes(size)
    made.transport.write_last(data)
    assert made.transport.is_closing()
    made.transport.write_last(b"ignored")
    got = await bench.read(made.far.raw, 8 * MB)
    if made.tls:
        made.far.incoming.write(got)
        made.far.incoming.write_eof()
        got = b""
        while piece := made.far.tls.read(65536):        # its end is TLS's own, else this raises
            got += piece
    assert got == data
    await made.peer.told("connection_lost")
    assert made.peer.exc is None


async def test_the_end_goes_with_the_last_bytes(made: Any, bench: Bench) -> None:
    if bench.kind != "kernel":
        pytest.skip("a loop sends them apart")
    made.transport.pause_reading()
    before = segments(made.far.raw)
    made.transport.write_last(b"12345")
    await bench.read(made.far.raw)
    assert segments(made.far.raw) == before + 1


async def test_idle_since_the_last_bytes(made: Any, until: Any) -> None:
    transport = made.transport
    before = transport.idle_since
    assert before > 0

    async def later() -> None:
        """Until the coarse clock has moved."""
        await made.far.send(b"x")
        await made.peer.got(len(made.peer.data) + 1)
    while transport.idle_since == before:
        await later()
    assert transport.idle_since > before


async def test_only_plain_sockets_are_spliced(made: Any, bench: Bench) -> None:
    other, raw = await bench.pair()
    pump = made.transport.splice_to(other.transport)
    if type(made.transport) is not Sock:
        assert pump is None
        assert other.transport.splice_to(made.transport) is None
        return
    await made.far.send(b"12345")
    assert await bench.read(raw, 5) == b"12345"
    assert pump.passed == 5
    assert made.peer.data == b""
    assert made.transport.splice_to(other.transport) is None        # it carries already
    assert made.transport.idle_since > 0
    made.transport.abort()
    await made.peer.told("connection_lost")
    assert pump.passed == 5
    assert other.transport.splice_to(made.transport) is None


async def test_before_the_handshake_of_an_opened_one(bench: Bench, tmp_path: Any) -> None:
    bed = Bed(bench, tmp_path)
    listener = bench.bound()
    secure = bed.connect(Peer(), where=(listener.family, listener.getsockname()))
    secure.write(b"12345")
    assert secure.unsent() >= 5
    assert not secure.peer_left(1)
    secure.abort()
    assert secure.is_readable()
