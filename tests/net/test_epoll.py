"""The set: stale events, deferred callbacks, bounded turns, hooks, closing."""

import gc
import itertools
import os
import select
import socket

import pytest

from lbd.net.epoll import Epoll
from lbd.net.sock import Poller

from .conftest import MB, Peer, send_until_full


def turn(net, times=1):
    for _ in range(times):
        net.run()


def ready(net):
    return bool(select.select([net.fileno()], [], [], 0)[0])


async def test_events_of_a_closed_connection_do_not_reach_its_successor(kernel):
    """Both connections are ready in one batch; the first ends the second, whose number a third gets at once."""
    kernel.loop.remove_reader(kernel.net.fileno())
    listener = kernel.bound()
    where = listener.family, listener.getsockname()
    third = Peer()

    def swap(peer, data):
        other = second if peer is first else first
        number = other.transport.get_extra_info("fd")
        other.transport.abort()
        third.pending = kernel.net.connect(*where, third)
        assert third.pending.get_extra_info("fd") == number

    first, second = (kernel.connect(where, Peer(data_received=swap)) for _ in range(2))
    turn(kernel.net)
    for _ in range(2):
        raw, _ = listener.accept()
        kernel.sockets.append(raw)
        raw.send(b"x")
    turn(kernel.net)
    assert sorted([first.calls, second.calls]) == [["connection_made", "connection_lost"],
                                                   ["connection_made", "data_received"]]
    assert third.calls == []
    turn(kernel.net, 3)
    assert third.calls == ["connection_made"]
    kernel.loop.add_reader(kernel.net.fileno(), kernel.net.run)


async def test_what_is_put_off_outside_a_turn_wakes_the_loop(kernel):
    peer, _ = await kernel.pair()
    assert not ready(kernel.net)
    peer.transport.close()
    assert ready(kernel.net)
    assert "connection_lost" not in peer.calls
    turn(kernel.net)
    assert peer.calls[-1] == "connection_lost"
    turn(kernel.net)
    assert not ready(kernel.net)


async def test_a_chain_of_endings_is_done_in_one_turn(kernel):
    peers = [(await kernel.pair())[0] for _ in range(50)]
    for peer, after in itertools.pairwise(peers):
        peer.hooks["connection_lost"] = lambda _, exc, after=after: after.transport.close()
    peers[0].transport.close()
    turn(kernel.net)
    assert all(peer.calls[-1] == "connection_lost" for peer in peers)


async def test_a_protocol_that_never_stops_does_not_hold_the_turn(kernel):
    kernel.loop.remove_reader(kernel.net.fileno())
    address = str(kernel.tmp_path / "nobody")
    count = [0]

    def again(peer, exc):
        count[0] += 1
        kernel.net.connect(socket.AF_UNIX, address, peer)

    peer = Peer(connection_lost=again)
    kernel.net.connect(socket.AF_UNIX, address, peer)
    turn(kernel.net)
    assert 0 < count[0] <= 10_000
    assert ready(kernel.net)
    kernel.net.close()


async def test_each_connection_gets_one_read_a_turn(kernel):
    busy, quiet = Peer(), Peer()
    pairs = [await kernel.pair("unix", peer) for peer in (busy, quiet)]
    for _, raw in pairs:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    kernel.loop.remove_reader(kernel.net.fileno())
    sent = pairs[0][1].send(bytes(400_000))
    pairs[1][1].send(b"x")
    turn(kernel.net)
    assert len(busy.data) <= 262144
    assert quiet.data == b"x"
    turn(kernel.net, 5)
    assert len(busy.data) == sent
    kernel.loop.add_reader(kernel.net.fileno(), kernel.net.run)


async def test_an_orderly_close_while_paused_loses_nothing_and_does_not_spin(kernel):
    peer, raw = await kernel.pair("unix")
    peer.transport.pause_reading()
    raw.send(b"rest")
    raw.close()
    await kernel.turns()
    assert peer.calls == ["connection_made"]
    # A hang-up cannot be masked: only a connection outside the set leaves it quiet.
    assert not ready(kernel.net)
    peer.transport.resume_reading()
    await peer.told("connection_lost")
    assert peer.data == b"rest"
    assert peer.calls[-2:] == ["eof_received", "connection_lost"]


@pytest.mark.parametrize("state", ["idle", "half closed", "paused with data", "queued"])
@pytest.mark.parametrize("family", ["ipv4", "unix"])
async def test_a_quiet_connection_wakes_nobody(kernel, family, state):
    peer, raw = await kernel.pair(family, small=4096)
    peer.keep_open = True
    if state == "half closed":
        raw.shutdown(socket.SHUT_WR)
        await peer.told("eof_received")
    elif state == "paused with data":
        peer.transport.pause_reading()
        raw.send(b"x")
    elif state == "queued":
        await send_until_full(peer)
        peer.transport.pause_reading()
    await kernel.turns()
    assert not ready(kernel.net)


CALLBACKS = ["connection_made", "data_received", "eof_received", "pause_writing", "resume_writing", "connection_lost"]


@pytest.mark.parametrize("name", CALLBACKS)
async def test_a_callback_that_raises_costs_its_connection_only(kernel, name):
    def fail(*_):
        raise RuntimeError(name)

    healthy, other = await kernel.pair()
    peer, raw = await kernel.pair(near=Peer(**{name: fail}), small=4096)
    if name == "data_received":
        raw.send(b"x")
    elif name == "eof_received":
        raw.shutdown(socket.SHUT_WR)
    elif name in ("pause_writing", "resume_writing"):
        await send_until_full(peer)
        if name == "resume_writing":
            with pytest.raises(ConnectionResetError):
                await kernel.read(raw, 64 * MB)
    elif name == "connection_lost":
        peer.transport.close()
    await peer.told("connection_lost")
    await kernel.turns()
    assert [str(exc) for exc in kernel.failures] == [name]
    assert peer.calls.count("connection_lost") == 1
    other.send(b"fine")
    assert await healthy.got(4) == b"fine"


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("name", CALLBACKS[:-1])
async def test_the_protocol_may_end_it_in_any_callback(kernel, name, end):
    depth = []

    def finish(peer, *_):
        depth.append(True)
        getattr(peer.transport, end)()
        assert "connection_lost" not in peer.calls
        depth.pop()

    peer, raw = await kernel.pair(near=Peer(**{name: finish, "connection_lost": lambda peer, exc: depth and 1 / 0}),
                                  small=4096)
    raw_gone = False
    if name == "data_received":
        raw.send(b"x")
    elif name == "eof_received":
        raw.shutdown(socket.SHUT_WR)
    elif name in ("pause_writing", "resume_writing"):
        await send_until_full(peer)
        try:
            await kernel.read(raw, 64 * MB)
        except ConnectionResetError:
            raw_gone = True
    await peer.told("connection_lost")
    assert raw_gone == (end == "abort" and name in ("pause_writing", "resume_writing"))
    assert kernel.failures == []
    assert peer.exc is None


async def test_a_turn_inside_a_turn_does_nothing(kernel):
    peer, raw = await kernel.pair(near=Peer(data_received=lambda peer, data: kernel.net.run()))
    raw.send(b"x")
    await peer.got(1)
    assert peer.calls == ["connection_made", "data_received"]


async def test_closing_from_a_callback_is_refused(kernel):
    peer, raw = await kernel.pair(near=Peer(data_received=lambda peer, data: kernel.net.close()))
    raw.send(b"x")
    await peer.told("connection_lost")
    assert [type(exc) for exc in kernel.failures] == [RuntimeError]


@pytest.mark.parametrize("hook", [None, "raises"])
def test_without_a_hook_that_works_failures_are_unraisable(hook, monkeypatch):
    seen = []
    monkeypatch.setattr("sys.unraisablehook", lambda raised: seen.append(str(raised.exc_value)))
    poller = Poller(None if hook is None else lambda exc, source: 1 / 0)

    class Broken:
        def connection_lost(self, exc):
            raise RuntimeError("in a callback")

    poller.connect(socket.AF_UNIX, "/nowhere", Broken())
    poller.run()
    poller.close()
    assert seen == ["in a callback" if hook is None else "division by zero"]


async def test_an_exit_passes_through_and_the_rest_is_not_lost(kernel):
    kernel.loop.remove_reader(kernel.net.fileno())
    leaver, follower = (Peer(), Peer())

    def leave(peer, exc):
        raise SystemExit(3)

    leaver.hooks["connection_lost"] = leave
    for peer in (leaver, follower):
        kernel.net.connect(socket.AF_UNIX, "/nowhere", peer)
    with pytest.raises(SystemExit):
        kernel.net.run()
    assert ready(kernel.net)
    kernel.net.run()
    assert follower.calls == ["connection_lost"]
    kernel.net.close()


def test_it_closes_once_and_leaves_no_descriptor():
    before = len(os.listdir("/proc/self/fd"))
    poller = Poller()
    poller.close()
    poller.run()
    with pytest.raises(RuntimeError, match="closes once"):
        poller.close()
    del poller
    dropped = Epoll()
    del dropped
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_poller_dropped_with_open_connections_leaves_no_descriptor():
    """The collector finds the set and its connections, and they close what is theirs."""
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        poller = Poller()
        poller.connect(socket.AF_INET, listener.getsockname(), object())
        del poller
        gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def sated():
    """A protocol for which what it reads is all that it expects."""
    peer = Peer()
    peer.sated = True
    return peer


async def met(kernel, first=b"all of it"):
    """A protocol whose connection came with all that it expects; the client's socket; and the poller in our hands."""
    kernel.loop.remove_reader(kernel.net.fileno())
    _, where, made = kernel.listen(sated)
    raw = socket.socket()
    kernel.sockets.append(raw)
    raw.connect(where[1])
    raw.send(first)
    kernel.net.run()
    assert made[0].calls == ["connection_made", "data_received"], "read in the turn in which it was accepted"
    return made[0], raw


async def test_what_came_with_a_connection_is_read_at_once_and_a_short_one_is_never_registered(kernel):
    peer, raw = await met(kernel)
    raw.send(b"more")
    kernel.net.run()
    assert bytes(peer.data) == b"all of it", "nobody waits for more before the answer"
    peer.transport.write(b"answer")
    peer.transport.close()
    kernel.net.run()
    assert peer.calls[-1] == "connection_lost"
    assert raw.recv(100) == b"answer"


async def test_after_its_answer_a_connection_is_heard_again(kernel):
    peer, raw = await met(kernel)
    raw.send(b", and more")
    peer.transport.write(b"answer")
    kernel.net.run()
    kernel.net.run()
    assert bytes(peer.data) == b"all of it, and more"


@pytest.mark.parametrize("pass_time", [lambda net: (net.tick(), net.tick()), lambda net: [net.run() for _ in range(9)]],
                         ids=["two ticks", "nine turns"])
async def test_a_client_that_leaves_before_its_answer_is_noticed_soon(kernel, pass_time):
    peer, raw = await met(kernel)
    raw.close()
    pass_time(kernel.net)
    kernel.net.run()
    assert peer.calls[-1] == "connection_lost"


async def test_a_connection_that_came_with_half_of_it_is_heard_on(kernel):
    peer, raw = await met(kernel)
    peer.sated = False
    other = socket.socket()
    kernel.sockets.append(other)
    other.connect(raw.getpeername())
    kernel.net.run()
    other.send(b"the rest")
    kernel.net.run()
    assert bytes(kernel.peers[-1].data) == b"the rest"
