"""Relays: every byte in order, long streams through pipes, ends, resets and slow sinks as without one."""

import asyncio
import hashlib
import os
import socket

import pytest

from lbd.net.splice import pipes, relay

from .conftest import MB, Bench, reset

LONG = 64 * MB


@pytest.fixture
async def bench(tmp_path):
    made = Bench("kernel", tmp_path)
    yield made
    await made.close()
    assert made.failures == []


class Tunnel:
    """Two relays between a near and a far connection, each with a raw socket of ours at its other end."""

    def __init__(self, near, far):
        (self.near, self.client), (self.far, self.server) = near, far
        self.near.keep_open = self.far.keep_open = True
        relay(self.near.transport, self.far.transport)
        relay(self.far.transport, self.near.transport)

    @property
    def ways(self):
        """(raw sender, protocol of its connection, protocol of the other, raw receiver), both ways."""
        return ((self.client, self.near, self.far, self.server), (self.server, self.far, self.near, self.client))


async def tunnel(bench, family="ipv4", small=0, **more):
    return Tunnel(await bench.pair(family, small=small, **more), await bench.pair(family, small=small, **more))


async def digest(bench, raw, size):
    """The received data, up to so many bytes, in pieces as they come."""
    found, left = hashlib.sha256(), size
    async with asyncio.timeout(60):
        while left and (piece := await bench.loop.sock_recv(raw, min(MB, left))):
            found.update(piece)
            left -= len(piece)
    return found.digest()


async def send(bench, raw, size):
    """A pattern that does not repeat within a read."""
    piece, found = os.urandom(MB - 13), hashlib.sha256()
    while size:
        now = piece[:size]
        found.update(now)
        size -= len(now)
        await bench.loop.sock_sendall(raw, now)
    return found.digest()


@pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"])
async def test_short_exchanges_pass_unseen(bench, family):
    both = await tunnel(bench, family)
    for number in range(20):
        for sender, near, _, receiver in both.ways:
            await bench.loop.sock_sendall(sender, b"%d" % number * 100)
            assert await bench.read(receiver, len(b"%d" % number * 100)) == b"%d" % number * 100
            assert near.data == b""
    assert both.near.transport.passed == both.far.transport.passed == 3000
    assert both.near.transport.touched > 0


@pytest.mark.parametrize("family", ["ipv4", "unix"])
async def test_long_streams_go_through_pipes_both_ways_at_once(bench, family):
    both = await tunnel(bench, family)
    results = await asyncio.gather(
        send(bench, both.client, LONG), digest(bench, both.server, LONG),
        send(bench, both.server, LONG), digest(bench, both.client, LONG))
    assert results[0] == results[1]
    assert results[2] == results[3]
    assert both.near.transport.passed == both.far.transport.passed == LONG
    made, spare = pipes()
    assert 0 < made == spare                    # taken only while bytes are on their way


async def test_short_and_long_alternate(bench):
    both = await tunnel(bench)
    for size in (10, 8 * MB, 1, 8 * MB, 300, 70000):
        sent, got = await asyncio.gather(send(bench, both.client, size), digest(bench, both.server, size))
        assert sent == got
        await bench.loop.sock_sendall(both.server, b"taken")
        assert await bench.read(both.client, 5) == b"taken"


@pytest.mark.parametrize("small", [0, 4096])
async def test_a_sink_that_does_not_read_holds_its_source(bench, small):
    both = await tunnel(bench, small=small)
    sending = asyncio.ensure_future(send(bench, both.client, LONG))
    far = both.far.transport
    before = -1
    while both.near.transport.passed != before or not far.get_write_buffer_size():
        before = both.near.transport.passed
        await bench.turns(200)
    assert far.get_write_buffer_size() <= 65536 + 262144
    assert not sending.done()
    assert await digest(bench, both.server, LONG) == await sending
    assert far.get_write_buffer_size() == 0


@pytest.mark.parametrize("size", [0, 10, 8 * MB])
async def test_each_way_ends_by_itself_after_all_was_sent(bench, size):
    both = await tunnel(bench)
    for sender, near, far, receiver in both.ways:
        sending = asyncio.ensure_future(send(bench, sender, size))
        reading = asyncio.ensure_future(digest(bench, receiver, 2 * LONG))
        sent = await sending
        sender.shutdown(socket.SHUT_WR)
        await near.told("eof_received")
        far.transport.write_eof()
        assert await reading == sent
    await both.near.told("connection_lost")
    await both.far.told("connection_lost")


@pytest.mark.parametrize("size", [10, LONG])
async def test_what_is_on_its_way_is_sent_before_a_close(bench, size):
    both = await tunnel(bench)
    sending = asyncio.ensure_future(send(bench, both.client, size))
    if size > 10:
        await bench.until(lambda: both.far.transport.get_write_buffer_size())
        both.far.transport.close()
        both.near.transport.abort()
        passed = both.near.transport.passed
        with pytest.raises(ConnectionError):
            await sending
        assert len(await bench.read(both.server, LONG)) == passed
    else:
        await sending
        await bench.until(lambda: both.near.transport.passed == size)
        both.far.transport.close()
        assert len(await bench.read(both.server, LONG)) == size
    await both.far.told("connection_lost")


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("who", ["source", "sink"])
async def test_a_reset_is_told_to_its_own_protocol(bench, who, held):
    both = await tunnel(bench)
    sending = None
    if held:
        sending = asyncio.ensure_future(send(bench, both.client, LONG))
        await bench.until(lambda: both.far.transport.get_write_buffer_size())
    if who == "source":
        if sending is not None:
            sending.cancel()
        reset(both.client)
        await both.near.told("connection_lost")
        assert isinstance(both.near.exc, ConnectionResetError)
        assert both.far.calls.count("connection_lost") == 0
        both.far.transport.abort()
    else:
        reset(both.server)
        await both.far.told("connection_lost")
        assert isinstance(both.far.exc, OSError)
        both.near.transport.abort()
        if sending is not None:
            with pytest.raises(ConnectionError):
                await sending
    await bench.turns()
    made, spare = pipes()
    assert made == spare


@pytest.mark.parametrize("waits", ["in the pipe", "at the source"])
async def test_a_sink_that_had_sent_its_last_resets_with_bytes_on_their_way_to_it(bench, waits):
    """Nothing of it is read any more, so the failing write itself ends it, and with it what was feeding it."""
    both = await tunnel(bench)
    both.server.shutdown(socket.SHUT_WR)
    await both.far.told("eof_received")
    sending = asyncio.ensure_future(send(bench, both.client, LONG))
    if waits == "in the pipe":
        await bench.until(lambda: both.far.transport.get_write_buffer_size())
    else:
        assert await digest(bench, both.server, LONG) == await sending
        both.client.send(os.urandom(MB))
    reset(both.server)
    await both.far.told("connection_lost")
    assert isinstance(both.far.exc, OSError)
    both.near.transport.abort()
    if waits == "in the pipe":
        with pytest.raises(ConnectionError):
            await sending
    await bench.turns()
    made, spare = pipes()
    assert made == spare


async def test_a_relay_does_not_begin_where_something_is_closed_or_carries_already(bench):
    both = await tunnel(bench)
    other, _ = await bench.pair()
    relay(both.near.transport, other.transport)
    other.transport.abort()
    await other.told("connection_lost")
    third, raw = await bench.pair()
    relay(third.transport, other.transport)
    await bench.loop.sock_sendall(raw, b"heard")
    assert await third.got(5) == b"heard"


async def test_many_streams_at_a_time(bench):
    pairs = [await tunnel(bench) for _ in range(20)]
    results = await asyncio.gather(*(
        task for both in pairs for task in (send(bench, both.client, 4 * MB), digest(bench, both.server, 4 * MB))))
    assert results[::2] == results[1::2]


async def test_what_was_queued_before_goes_first(bench):
    near, far = await bench.pair(small=4096), await bench.pair(small=4096)
    far[0].transport.write(b"q" * MB)
    both = Tunnel(near, far)
    sending = asyncio.ensure_future(send(bench, both.client, MB))
    assert await bench.read(both.server, MB) == b"q" * MB
    got = await digest(bench, both.server, MB)
    assert got == await sending
