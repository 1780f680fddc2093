"""Tests of lbd.net.secure: both ends of TLS, on both nets; the other end is often Python's own."""

import asyncio
import contextlib
import ctypes
import gc
import os
import select
import socket
import ssl
import sys
import weakref
from pathlib import Path

import pytest

from lbd.net.secure import NotTls, Secure
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import ClientTls, ServerTls, client_context
from lbd.tls.handshake_limiter import HandshakeLimiter
from tests.authority import Authority
from tests.waiting import turn

from .conftest import MB, Peer
from .far_end import Far
from .test_stream import pattern

NAME = "a.example.com"


class Guest(Peer):
    """A protocol that also notes when the handshake is done."""

    def secured(self):
        self._note("secured")


class Bed:
    """A listening net with TLS. `server_tls` is what it shows, `context` a client's."""

    def __init__(self, bench, directory: Path):
        self.bench = bench
        self.authority = Authority(directory)
        self.path = self.authority.issue("a.pem", NAME)
        self.server_tls = ServerTls([load_pem("a.pem", self.path.read_bytes(), b"")])
        self.context = client_context(ca=self.authority.file.read_bytes())
        self.made: list[Guest] = []
        self.secures: list[Secure] = []
        self.limiter = None
        self.refusal = lambda: b"400 no"
        self.hooks: dict = {"data_received": lambda peer, data: peer.transport.write(data)}
        self.where = None
        self.buffers = 0

    def listen(self, **hooks):
        self.hooks = hooks or self.hooks

        def factory():
            guest = Guest(**self.hooks)
            self.made.append(guest)
            self.bench.peers.append(guest)
            return Secure(self.server_tls.context, guest, self.limiter, self.refusal)

        sock = self.bench.bound(receive=self.buffers)
        if self.buffers:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.buffers)
        self.where = (sock.family, sock.getsockname())
        self.bench.net.listen(sock, factory)
        return self

    async def streams(self, context=None, **more):
        """A client made of the standard library alone."""
        return await asyncio.open_connection(*self.where[1], ssl=context or self.context, server_hostname=NAME, **more)

    def connect(self, peer, client_tls=None, where=None):
        client_tls = client_tls or ClientTls(self.context, NAME)
        secure = Secure(client_tls.context, peer, server=False, name=client_tls.name, client_tls=client_tls)
        secure.attach(self.bench.net.connect(*(where or self.where), secure))
        self.bench.peers.append(peer)
        return secure


@pytest.fixture
def bed(bench, tmp_path):
    return Bed(bench, tmp_path)


@pytest.mark.parametrize("size", [1, 100, 16383, 16384, 16385, 100_000, 3 * MB])
async def test_bytes_come_back(bed, size):
    bed.listen()
    reader, writer = await bed.streams()
    data = pattern(size)
    writer.write(data)
    assert await reader.readexactly(size) == data
    assert bed.made[0].calls[:3] == ["connection_made", "secured", "data_received"]
    writer.close()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()
    await bed.made[0].told("connection_lost")
    assert bed.made[0].exc is None


async def test_both_ends_are_ours(bed):
    data = pattern(5 * MB)
    bed.listen()
    client = Peer(connection_made=lambda peer: peer.transport.write(data))
    bed.connect(client)
    assert await client.got(len(data)) == data
    tls = client.transport.get_extra_info("tls")
    assert tls.version() == "TLSv1.3"
    assert bed.made[0].transport.get_extra_info("tls").requested_name == NAME
    client.transport.close()
    await client.told("connection_lost")
    await bed.made[0].told("connection_lost")
    assert client.exc is None
    assert "eof_received" in bed.made[0].calls


async def test_a_hello_in_single_bytes(bed, bench):
    bed.listen()
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = bed.context.wrap_bio(back, there, server_hostname=NAME)
    with socket.create_connection(bed.where[1]) as raw:
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        done = False
        while not done:
            try:
                near.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            for byte in there.read():
                await bench.loop.sock_sendall(raw, bytes([byte]))
                await turn()
            if not done:
                back.write(await bench.loop.sock_recv(raw, 65536))
        near.write(b"hello")
        await bench.loop.sock_sendall(raw, there.read())
        await bed.made[0].told("data_received")
        assert bytes(bed.made[0].data) == b"hello"


@pytest.mark.parametrize(("sent", "error"), [
    (b"GET / HTTP/1.1\r\n\r\n", NotTls), (b"\0" * 100, ssl.SSLError),
    (b"\x16\x03\x01\xff\xff" + b"x" * 300, ssl.SSLError),
    (b"SSH-2.0-x\r\n", NotTls), (b"\x16\x03\x01\0\x05\x01\0\0", ConnectionAbortedError), (b"", type(None)),
])
async def test_what_is_no_tls(bed, bench, sent, error):
    bed.listen()
    with socket.create_connection(bed.where[1]) as raw:
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        raw.setblocking(False)
        answer = await bench.read(raw)
    await bed.made[0].told("connection_lost")
    assert isinstance(bed.made[0].exc, error)
    assert (answer == b"400 no") is (error is NotTls)
    assert "secured" not in bed.made[0].calls
    assert bench.failures == []


async def test_a_slow_reader_pauses_the_writer(bed):
    bed.listen(data_received=lambda peer, data: peer.transport.write(bytes(8 * MB)))
    reader, writer = await bed.streams(limit=4096)
    writer.write(b"x")
    await bed.bench.until(lambda: bed.made)
    await bed.made[0].told("pause_writing")
    assert bed.made[0].transport.get_write_buffer_size() > 65536
    assert len(await reader.readexactly(8 * MB)) == 8 * MB
    await bed.made[0].told("resume_writing")
    writer.close()


async def test_a_paused_reader_gets_nothing(bed, bench):
    bed.listen(secured=lambda peer: peer.transport.pause_reading())
    _, writer = await bed.streams()
    await bench.until(lambda: bed.made)
    guest = bed.made[0]
    await guest.told("secured")
    writer.write(b"x" * 1000)
    await bench.turns(50)
    assert guest.calls == ["connection_made", "secured"]
    guest.transport.resume_reading()
    assert await guest.got(1000) == b"x" * 1000
    writer.close()


def update_key(client):
    """A KeyUpdate that asks for another in return (RFC 8446 4.6.3), for which the module has no call."""
    try:
        ask = ctypes.CDLL(sys.modules["_ssl"].__file__).SSL_key_update
    except (AttributeError, OSError):
        pytest.skip("this Python has no libssl of its own to ask")
    if sys.version_info >= (3, 14) or object.__basicsize__ != 16:
        pytest.skip("where this Python keeps its SSL is not known")
    ask.argtypes = ctypes.c_void_p, ctypes.c_int
    place = id(client._sslobj) + 24       # behind the object's head and its socket
    assert ask(ctypes.c_void_p.from_address(place), 1) == 1
    client.do_handshake()


async def test_key_updates_are_not_read_while_nobody_takes_the_replies(bed, bench):
    bed.buffers = 8192
    bed.listen()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = bed.context.wrap_bio(incoming, outgoing, server_hostname=NAME)
    with socket.socket() as raw:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            raw.setsockopt(socket.SOL_SOCKET, option, bed.buffers)
        raw.setblocking(False)
        await bench.loop.sock_connect(raw, bed.where[1])

        async def done(step):
            async with asyncio.timeout(20):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        await bench.loop.sock_sendall(raw, outgoing.read())
                        incoming.write(await bench.loop.sock_recv(raw, 65536))

        await done(client.do_handshake)
        for _ in range(6000):
            update_key(client)
        client.write(b"hello")
        flood = asyncio.ensure_future(bench.loop.sock_sendall(raw, outgoing.read()))
        await bench.until(lambda: bed.made)
        await bed.made[0].told("pause_writing")
        await bench.turns(200)
        assert not flood.done()
        assert bed.made[0].transport.get_write_buffer_size() < 2 * 65536
        assert await done(lambda: client.read(10)) == b"hello"
        await flood


async def test_half_close(bed):
    """A client of ours ends its side; what the other side sends afterwards still arrives."""
    def ended(guest):
        guest.keep_open = True
        guest.transport.write(b"more")
        guest.transport.close()

    bed.listen(eof_received=ended)
    client = Peer(connection_made=lambda peer: (peer.transport.write(b"all"), peer.transport.write_eof()))
    bed.connect(client)
    await client.told("connection_lost")
    assert bytes(bed.made[0].data) == b"all"
    assert bytes(client.data) == b"more"
    assert client.exc is None


async def test_a_server_that_just_closes_may_have_cut_its_answer(bed, bench):
    bed.listen(secured=lambda peer: peer.transport.write(b"half"))
    client = Peer()
    bed.connect(client)
    await client.told("data_received")
    shared = bed.made[0].transport.get_extra_info("socket")
    with socket.socket(fileno=os.dup(shared.fileno())) as raw:
        raw.shutdown(socket.SHUT_WR)
    if bench.kind == "kernel":
        shared.close()
    await client.told("connection_lost")
    assert isinstance(client.exc, ConnectionResetError)
    assert "eof_received" not in client.calls


@pytest.mark.parametrize("wrong", ["name", "authority", "expired"])
async def test_servers_that_are_not_believed(bed, tmp_path, wrong):
    if wrong == "expired":
        path = bed.authority.issue("old.pem", NAME, days=(-2, -1))
        bed.server_tls = ServerTls([load_pem("old.pem", path.read_bytes(), b"")])
    bed.listen()
    other = client_context(ca=Authority(tmp_path, "other").file.read_bytes())
    client = Peer()
    bed.connect(client, ClientTls(other if wrong == "authority" else bed.context,
                                  "b.example.com" if wrong == "name" else NAME))
    await client.told("connection_lost")
    assert client.calls == ["connection_lost"]
    assert isinstance(client.exc, ssl.SSLCertVerificationError)
    await bed.made[0].told("connection_lost")
    assert isinstance(bed.made[0].exc, ssl.SSLError)


async def test_sessions_are_resumed(bed):
    bed.listen()
    client_tls = ClientTls(bed.context, NAME)
    reused = []
    for _ in range(3):
        client = Peer(connection_made=lambda peer: peer.transport.write(b"x"))
        bed.connect(client, client_tls)
        await client.got(1)
        reused.append(client.transport.get_extra_info("tls").session_reused)
        client.transport.close()
        await client.told("connection_lost")
    assert reused == [False, True, True]


async def test_handshakes_take_turns(bed, bench):
    bed.limiter = HandshakeLimiter(bench.loop, 2)
    bed.listen()
    clients = [Peer(connection_made=lambda peer: peer.transport.write(b"x")) for _ in range(20)]
    for client in clients:
        bed.connect(client)
    for client in clients:
        assert await client.got(1) == b"x"
    # One that leaves while it waits is passed over.
    gone = socket.create_connection(bed.where[1])
    gone.sendall(b"\x16\x03\x01")
    gone.close()
    await bench.until(lambda: len(bed.made) == 21)
    await bed.made[20].told("connection_lost")
    for client in clients:
        client.transport.close()
        await client.told("connection_lost")
    assert bench.failures == []


async def test_what_a_callback_raises_costs_its_connection_only(bed, bench):
    def fail(peer, data):
        raise RuntimeError("oops")

    bed.listen(data_received=fail)
    reader, writer = await bed.streams()
    writer.write(b"x")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    await bed.made[0].told("connection_lost")
    assert any(isinstance(failure, RuntimeError) for failure in bench.failures)
    writer.close()
    reader2, writer2 = await bed.streams()
    writer2.close()
    assert reader2 is not None


async def test_nothing_is_left_of_it(bed, bench):
    bed.listen()
    client = Peer(connection_made=lambda peer: peer.transport.write(b"x"))
    bed.connect(client)
    await client.got(1)
    seen = weakref.ref(client.transport.get_extra_info("tls"))
    client.transport.close()
    client.transport.write(b"ignored")
    client.transport.write_eof()
    client.transport.close()
    await client.told("connection_lost")
    client.transport.abort()
    assert client.transport.is_closing()
    assert client.transport.get_extra_info("tls") is None
    await bed.made[0].told("connection_lost")
    gc.disable()
    try:
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("answers", [False, True])
async def test_tickets_go_with_the_first_answer_or_before_more_is_said(bed, bench, answers):
    bed.listen(data_received=lambda peer, data: peer.transport.write(data) if answers else None)
    with socket.create_connection(bed.where[1]) as raw:
        raw.setblocking(False)
        far = Far(bench, raw)
        await far.shake(bed.context, NAME, b"1")
        assert far.tls.version() == "TLSv1.3"
        await bed.made[0].got(1)
        await bench.turns()
        if not answers:
            assert bed.made[0].transport.unsent() == 0
            assert not select.select([raw], [], [], 0)[0]
            await far.send(b"2")
            await bed.made[0].got(2)
        far.incoming.write(await bench.loop.sock_recv(raw, 65536))
        if answers:
            assert far.tls.read(10) == b"1"
        else:
            with pytest.raises(ssl.SSLWantReadError):
                far.tls.read(10)
        assert far.tls.session.has_ticket


async def test_tickets_are_sent_at_once_to_a_client_that_has_said_nothing(bed, bench):
    """It may not be able to: Nagle's algorithm keeps its request until the end of its handshake is acknowledged."""
    bed.listen()
    with socket.create_connection(bed.where[1]) as raw:
        raw.setblocking(False)
        far = Far(bench, raw)
        await far.shake(bed.context, NAME)
        far.incoming.write(await bench.loop.sock_recv(raw, 65536))
        with pytest.raises(ssl.SSLWantReadError):
            far.tls.read(10)
        assert far.tls.session.has_ticket
        bed.made[0].transport.close()
        far.incoming.write(await bench.read(raw))
        assert far.tls.read(10) == b""
