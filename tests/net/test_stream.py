"""A connection: reading, writing, back-pressure, and every way it can end, on both nets."""

import gc
import hashlib
import random
import select
import socket

import pytest

from lbd.net.stream import Sock

from .conftest import MB, Peer, reset, send_until_full


def pattern(size, seed=1):
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("family", ["ipv4", "unix"])
async def test_partial_writes_with_a_slow_reader(bench, family):
    peer, raw = await bench.pair(family, small=4096)
    pieces = [pattern(size, size) for size in (1, 70000, 3, 200000, 5, 1, 9_000_000, 65536)]
    for piece in pieces:
        peer.transport.write(piece)
    assert peer.transport.get_write_buffer_size() > 0
    assert peer.calls.count("pause_writing") == 1
    whole = b"".join(pieces)
    assert await bench.read(raw, len(whole)) == whole
    await peer.told("resume_writing")
    await bench.until(lambda: peer.transport.get_write_buffer_size() == 0)
    assert peer.calls.count("resume_writing") == 1


async def test_thousands_of_queued_pieces(bench):
    peer, raw = await bench.pair(small=4096)
    await send_until_full(peer)
    data = b"".join(b"%d," % number for number in range(5000))
    for number in range(5000):
        peer.transport.write(b"%d," % number)
    peer.transport.close()
    assert (await bench.read(raw, 64 * MB)).endswith(data)
    await peer.told("connection_lost")
    assert peer.exc is None


async def test_64_mb_both_ways_at_once_in_bounded_memory(bench):
    size, piece = 64 * MB, pattern(128 * 1024)
    most = 0

    def relay(peer, data):
        nonlocal most
        peer.transport.write(data)
        most = max(most, peer.transport.get_write_buffer_size())

    _, where, _ = bench.listen(lambda: Peer(
        data_received=lambda peer, data: (relay(peer, data), peer.data.clear()),
        pause_writing=lambda peer: peer.transport.pause_reading(),
        resume_writing=lambda peer: peer.transport.resume_reading()))
    sums = [hashlib.sha256(), hashlib.sha256()]
    state = {"sent": 0, "got": 0, "full": False}

    def fill(peer):
        state["full"] = False
        while not state["full"] and state["sent"] < size:
            sums[0].update(piece)
            state["sent"] += len(piece)
            peer.transport.write(piece)
        if state["sent"] == size:
            peer.transport.write_eof()

    def got(peer, data):
        sums[1].update(data)
        state["got"] += len(data)
        peer.data.clear()

    client = bench.connect(where, Peer(data_received=got, pause_writing=lambda peer: state.update(full=True),
                                       resume_writing=fill, connection_made=fill))
    await client.told("connection_lost")
    assert client.exc is None
    assert state["got"] == size
    assert sums[0].digest() == sums[1].digest()
    assert most <= 65536 + 262144


@pytest.mark.parametrize("family", ["ipv4", "unix"])
async def test_paused_reading_is_exact(bench, family):
    """Data from before the pause arrives at once, later data after resuming."""
    peer, raw = await bench.pair(family)
    raw.send(b"one")
    await peer.got(3)
    for _ in range(3):
        peer.transport.pause_reading()
        raw.send(b"two")
        await bench.turns()
        assert peer.data == b"one"
        peer.transport.pause_reading()
    peer.transport.resume_reading()
    peer.transport.resume_reading()
    assert await peer.got(12) == b"onetwotwotwo"
    peer.transport.pause_reading()
    peer.transport.resume_reading()
    raw.send(b"three")
    assert await peer.got(17) == b"onetwotwotwothree"


async def test_pause_inside_connection_made_holds(kernel):
    _, where, made = kernel.listen(lambda: Peer(connection_made=lambda peer: peer.transport.pause_reading()))
    client = kernel.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"x")))
    await client.told("connection_made")
    await kernel.turns()
    assert made[0].data == b""
    assert not made[0].transport.is_reading()
    made[0].transport.resume_reading()
    assert await made[0].got(1) == b"x"


async def test_pause_inside_data_received_bounds_what_comes(kernel):
    peer, raw = await kernel.pair("unix", Peer(data_received=lambda peer, data: peer.transport.pause_reading()))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MB)
    sent = raw.send(pattern(400_000))
    await peer.told("data_received")
    await kernel.turns()
    assert len(peer.data) <= 262144
    while len(peer.data) < sent:
        peer.transport.resume_reading()
        await peer.told("data_received", peer.calls.count("data_received") + 1)
    assert peer.data == pattern(400_000)[:sent]


@pytest.mark.parametrize("keep_open", [False, True])
async def test_the_peer_half_closes(bench, keep_open):
    peer, raw = await bench.pair()
    peer.keep_open = keep_open
    raw.send(b"all")
    raw.shutdown(socket.SHUT_WR)
    await peer.told("eof_received")
    assert peer.data == b"all"
    if keep_open:
        await bench.turns()
        assert "connection_lost" not in peer.calls
        peer.transport.write(b"answer")
        peer.transport.close()
    assert await bench.read(raw) == (b"answer" if keep_open else b"")
    await peer.told("connection_lost")
    assert peer.exc is None
    assert peer.calls.count("eof_received") == 1


async def test_an_answer_queued_at_eof_is_flushed_before_the_close(bench):
    peer, raw = await bench.pair(near=Peer(data_received=lambda peer, data: peer.transport.write(data * 500_000)),
                                 small=4096)
    raw.send(b"ab")
    raw.shutdown(socket.SHUT_WR)
    await peer.told("eof_received")
    assert await bench.read(raw, 2 * MB) == b"ab" * 500_000
    await peer.told("connection_lost")
    assert peer.exc is None


async def test_we_half_close_after_what_is_queued(bench):
    peer, raw = await bench.pair(small=4096)
    data = pattern(2 * MB)
    peer.transport.write(data)
    peer.transport.write_eof()
    peer.transport.write_eof()
    assert await bench.read(raw, 4 * MB) == data
    raw.send(b"still heard")
    assert await peer.got(11) == b"still heard"
    raw.close()
    await peer.told("connection_lost")
    assert peer.calls.count("eof_received") == 1


async def test_both_halves_ended_is_the_end(kernel):
    for first in ("ours", "theirs"):
        peer, raw = await kernel.pair()
        peer.keep_open = True
        if first == "ours":
            peer.transport.write_eof()
        raw.shutdown(socket.SHUT_WR)
        await peer.told("eof_received")
        if first == "theirs":
            peer.transport.write_eof()
        await peer.told("connection_lost")
        assert peer.exc is None


async def test_write_after_the_end_is_ignored(bench):
    peer, raw = await bench.pair()
    peer.transport.write(b"said")
    peer.transport.close()
    peer.transport.write(b"not said")
    assert peer.transport.is_closing()
    assert await bench.read(raw) == b"said"
    await peer.told("connection_lost")
    if bench.kind == "kernel":
        peer.transport.write(b"never")
    peer.transport.close()
    peer.transport.abort()
    await bench.turns()
    assert peer.calls.count("connection_lost") == 1


async def test_close_flushes_and_reads_no_more(bench):
    peer, raw = await bench.pair(small=4096)
    data = pattern(8 * MB)
    peer.transport.write(data)
    peer.transport.close()
    await bench.turns()
    assert peer.calls[-1] != "connection_lost"
    raw.send(b"late")
    assert await bench.read(raw, MB) == data[:MB]
    assert peer.data == b""
    reset(raw)
    await peer.told("connection_lost")


async def test_abort_drops_what_is_queued_and_resets(kernel):
    peer, raw = await kernel.pair(small=4096)
    await send_until_full(peer)
    peer.transport.abort()
    assert "connection_lost" not in peer.calls
    await peer.told("connection_lost")
    assert peer.exc is None
    with pytest.raises(ConnectionResetError):
        await kernel.read(raw, 64 * MB)


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("paused", [False, True])
async def test_a_reset_is_noticed(bench, queued, paused):
    if bench.kind == "loop" and paused and not queued:
        pytest.skip("a loop does not watch a paused connection")
    peer, raw = await bench.pair(small=4096)
    if paused:
        peer.transport.pause_reading()
    if queued:
        await send_until_full(peer)
    reset(raw)
    await peer.told("connection_lost")
    assert isinstance(peer.exc, ConnectionError)
    if bench.kind == "kernel":
        assert isinstance(peer.exc, ConnectionResetError)
    assert "eof_received" not in peer.calls


async def test_a_reset_after_the_peer_had_half_closed(kernel):
    peer, raw = await kernel.pair()
    peer.keep_open = True
    raw.shutdown(socket.SHUT_WR)
    await peer.told("eof_received")
    reset(raw)
    await peer.told("connection_lost")
    assert isinstance(peer.exc, OSError)


@pytest.mark.parametrize("family", ["ipv4", "unix"])
async def test_an_early_answer_before_a_reset_is_read(kernel, family):
    """The peer answers, and closes with our upload unread: our writes fail first, the answer is heard all the same."""
    peer, raw = await kernel.pair(family)
    peer.transport.write(b"upload")
    await kernel.loop.sock_recv(raw, 1)
    raw.send(b"413")
    raw.close()
    # Nothing has been read yet: the loop did not turn.
    for _ in range(3):
        peer.transport.write(b"more")
    await peer.told("connection_lost")
    assert peer.data == b"413"
    assert isinstance(peer.exc, ConnectionError)


async def test_written_data_may_be_any_buffer(kernel):
    peer, raw = await kernel.pair(small=4096)
    kept = bytearray(b"a" * 4 * MB)
    peer.transport.write(kept)
    kept[:] = b"b" * 4 * MB
    peer.transport.write(memoryview(b"tail"))
    peer.transport.write(b"")
    assert await kernel.read(raw, 4 * MB + 4) == b"a" * 4 * MB + b"tail"
    with pytest.raises(TypeError):
        peer.transport.write("text")
    with pytest.raises(TypeError):
        peer.transport.write(7)


async def test_write_limits(kernel):
    peer, raw = await kernel.pair(small=4096)
    assert peer.transport.get_write_buffer_limits() == (16384, 65536)
    with pytest.raises(ValueError, match="at least low"):
        peer.transport.set_write_buffer_limits(10, 11)
    await send_until_full(peer)
    peer.calls.clear()
    peer.transport.set_write_buffer_limits(high=8 * MB)
    assert peer.transport.get_write_buffer_limits() == (2 * MB, 8 * MB)
    peer.transport.write(bytes(16 * MB))
    while "resume_writing" not in peer.calls:
        await kernel.read(raw, 65536)
    assert 0 < peer.transport.get_write_buffer_size() <= 2 * MB


async def test_a_protocol_can_be_replaced(kernel):
    peer, raw = await kernel.pair()
    second = Peer()
    peer.transport.set_protocol(second)
    raw.send(b"x")
    assert await second.got(1) == b"x"
    peer.transport.close()
    await second.told("connection_lost")
    assert peer.calls == ["connection_made"]


async def test_a_duplicate_descriptor_does_not_keep_the_connection(kernel):
    peer, raw = await kernel.pair()
    duplicate = peer.transport.get_extra_info("socket")
    kernel.sockets.append(duplicate)
    peer.transport.close()
    assert await kernel.read(raw) == b""
    raw.send(b"x")
    await kernel.turns()
    assert not select.select([kernel.net.fileno()], [], [], 0)[0]


async def test_nothing_is_left_without_the_collector(kernel):
    gc.collect()
    gc.disable()
    try:
        peer, raw = await kernel.pair()
        raw.close()
        await peer.told("connection_lost")
        peer.transport = peer.pending = None
        kernel.peers.clear()
        assert not any(isinstance(one, Sock) for one in gc.get_objects())
    finally:
        gc.enable()
