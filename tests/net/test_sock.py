"""Listening and connecting, on the kernel and on the loop's transports."""

import errno
import gc
import os
import resource
import socket
import subprocess
import sys

import pytest

from lbd.net.sock import Acceptor, Poller, Sock

from .conftest import FAMILIES, Peer, echo, reset


@pytest.mark.parametrize("family", FAMILIES)
async def test_echo(bench, family):
    _, where, made = bench.listen(family=family)
    client = bench.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"hello")))
    assert await client.got(5) == b"hello"
    client.transport.close()
    await client.told("connection_lost")
    await made[0].told("connection_lost")
    assert client.exc is made[0].exc is None
    assert made[0].calls == ["connection_made", "data_received", "eof_received", "connection_lost"]
    assert client.calls == ["connection_made", "data_received", "connection_lost"]


@pytest.mark.parametrize("family", FAMILIES)
async def test_names_of_both_ends(kernel, family):
    names = []
    _, where, _made = kernel.listen(lambda: Peer(connection_made=lambda peer: names.append(
        [peer.transport.get_extra_info(name, "?") for name in ("sockname", "peername", "cipher", "source")])), family)
    client = kernel.connect(where)
    await client.told("connection_made")
    await kernel.until(lambda: names)
    assert names[0][0] == client.transport.get_extra_info("peername") == where[1]
    assert names[0][1] == client.transport.get_extra_info("sockname")
    assert names[0][2] == "?"
    assert names[0][3] == {"ipv4": b"127.0.0.1", "ipv6": b"::1"}.get(family, b"")
    assert client.transport.get_extra_info("source", "?") == "?", "only who was accepted has one"
    if family in ("unix", "abstract"):
        assert names[0][1] == ""
    client.transport.abort()
    assert client.transport.get_extra_info("peername", "gone") == "gone"


async def test_the_source_of_every_address(kernel):
    sources = []
    _, where, _made = kernel.listen(lambda: Peer(
        connection_made=lambda peer: sources.append(peer.transport.get_extra_info("source"))))
    wanted = ["127.0.0.1", "127.9.10.11", "127.99.100.101", "127.199.200.209", "127.255.255.254", "127.30.0.5"]
    for source in wanted:
        with socket.create_connection(where[1], source_address=(source, 0)):
            await kernel.until(lambda source=source: sources and sources[-1] == source.encode())
    assert len(sources) == len(wanted)


@pytest.mark.parametrize("family", FAMILIES)
async def test_options_are_set_before_the_connect(bench, family):
    listener = bench.bound(family)
    peer = Peer()
    options = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77),
               (socket.IPPROTO_TCP, 12345, 1))
    bench.net.connect(listener.family, listener.getsockname(), peer, options)
    await peer.told("connection_made")
    if listener.family != socket.AF_UNIX:
        inodes = subprocess.run(["ss", "-tnoH", "state", "established", "dport", f"= :{listener.getsockname()[1]}"],
                                capture_output=True, text=True, check=True).stdout
        assert "timer:(keepalive,1min1" in inodes
    listener.close()


@pytest.mark.parametrize("family", FAMILIES)
async def test_connect_refused(bench, family):
    listener = bench.bound(family)
    where = listener.family, listener.getsockname()
    listener.close()
    client = bench.connect(where)
    assert client.calls == []
    await client.told("connection_lost")
    assert client.calls == ["connection_lost"]
    assert isinstance(client.exc, ConnectionRefusedError)


async def test_connect_to_a_full_unix_backlog_fails(bench):
    listener = bench.bound("unix", backlog=1)
    clients = [bench.connect((listener.family, listener.getsockname())) for _ in range(4)]
    for client in clients:
        await client.until(lambda client=client: client.calls)
    assert clients[0].calls == ["connection_made"]
    assert clients[-1].calls == ["connection_lost"]
    assert clients[-1].exc.errno == errno.EAGAIN


async def test_connect_to_a_full_tcp_backlog_stays_pending_until_aborted(bench):
    listener = bench.bound(backlog=0)
    where = listener.family, listener.getsockname()
    first = bench.connect(where)
    await first.told("connection_made")
    stuck = bench.connect(where)
    await bench.turns()
    assert stuck.calls == []
    stuck.pending.abort()
    assert stuck.calls == []
    await stuck.told("connection_lost")
    assert stuck.calls == ["connection_lost"]
    assert stuck.exc is None


@pytest.mark.parametrize(("family", "address"), [
    (socket.AF_INET, ("example.com", 80)), (socket.AF_INET6, ("127.0.0.1", 80)), (socket.AF_UNIX, "x" * 108),
    (socket.AF_UNIX, ""), (socket.AF_UNSPEC, ("127.0.0.1", 80)),
])
async def test_connect_to_what_is_no_address(kernel, family, address):
    with pytest.raises(ValueError, match=r"not an IP address|path of a Unix socket"):
        kernel.net.connect(family, address, Peer())


async def test_connect_without_descriptors(kernel):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limit[1]))
    try:
        client = kernel.connect((socket.AF_INET, ("127.0.0.1", 9)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert client.calls == []
    await client.told("connection_lost")
    assert client.exc.errno == errno.EMFILE


async def test_written_before_it_is_connected(kernel):
    for family in FAMILIES:
        _, where, _ = kernel.listen(family=family)
        client = kernel.connect(where)
        client.pending.write(b"early")
        assert await client.got(5) == b"early"
        assert client.calls[0] == "connection_made"
        client.transport.close()


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_burst_is_accepted(bench, family):
    _, where, made = bench.listen(family=family)
    clients = [bench.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"x"))) for _ in range(300)]
    for client in clients:
        await client.got(1)
    assert len(made) == 300
    for client in clients:
        client.transport.abort()
    for peer in made:
        await peer.told("connection_lost")


async def test_no_more_than_the_batch_in_one_turn(kernel):
    acceptor, where, made = kernel.listen(batch=3)
    acceptor.pause()
    clients = [kernel.connect(where) for _ in range(8)]
    for client in clients:
        await client.told("connection_made")
    acceptor.resume()
    seen = []
    while len(made) < 8:
        kernel.net.run()
        seen.append(len(made))
    assert seen == [3, 6, 8]


async def test_accepting_pauses_and_resumes(bench):
    acceptor, where, made = bench.listen()
    first = bench.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"1")))
    await first.got(1)
    acceptor.pause()
    acceptor.pause()
    second = bench.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"2")))
    await second.told("connection_made")
    await bench.turns()
    assert len(made) == 1
    acceptor.resume()
    acceptor.resume()
    assert await second.got(1) == b"2"
    assert len(made) == 2


async def test_draining_takes_what_waits_and_then_refuses(bench):
    acceptor, where, made = bench.listen()
    acceptor.pause()
    clients = [bench.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"x"))) for _ in range(200)]
    for client in clients:
        await client.told("connection_made")
    acceptor.resume()
    acceptor.drain()
    for client in clients:
        assert await client.got(1) == b"x"
    assert len(made) == 200
    assert acceptor.fileno() == -1
    late = bench.connect(where)
    await late.told("connection_lost")
    assert isinstance(late.exc, ConnectionRefusedError)


async def test_draining_while_paused_takes_nothing(bench):
    acceptor, where, made = bench.listen()
    acceptor.pause()
    client = bench.connect(where)
    await client.told("connection_made")
    acceptor.drain()
    await client.told("connection_lost")
    assert made == []


async def test_pause_from_inside_the_batch(kernel):
    acceptor = None

    def full(peer):
        if len(made) == 2:
            acceptor.pause()

    acceptor, where, made = kernel.listen(lambda: Peer(connection_made=full))
    clients = [kernel.connect(where) for _ in range(5)]
    for client in clients:
        await client.told("connection_made")
    await kernel.turns()
    assert len(made) == 2
    acceptor.resume()
    await kernel.until(lambda: len(made) == 5)


async def test_a_closed_acceptor_is_out_of_the_set_though_others_hold_its_socket(kernel):
    acceptor, where, made = kernel.listen()
    held = socket.socket(fileno=os.dup(acceptor.fileno()))
    kernel.sockets.append(held)
    acceptor.close()
    acceptor.close()
    assert acceptor.fileno() == -1
    client = kernel.connect(where)
    await client.told("connection_made")
    await kernel.turns()
    assert made == []
    again = kernel.net.listen(held, lambda: made.append(echo()) or made[-1])
    client.transport.write(b"x")
    assert await client.got(1) == b"x"
    again.close()


async def test_a_client_that_left_while_it_waited(kernel):
    acceptor, where, made = kernel.listen()
    acceptor.pause()
    raw = socket.create_connection(where[1])
    reset(raw)
    acceptor.resume()
    client = kernel.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"x")))
    assert await client.got(1) == b"x"
    await made[0].told("connection_lost")


async def test_connections_have_no_delay_and_are_not_inherited(kernel):
    _, where, made = kernel.listen()
    client = kernel.connect(where)
    await client.told("connection_made")
    await kernel.until(lambda: made)
    for peer in (client, made[0]):
        fd = peer.transport.get_extra_info("fd")
        assert not os.get_inheritable(fd)
        assert not os.get_blocking(fd)
        with peer.transport.get_extra_info("socket") as duplicate:
            assert duplicate.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_factory_that_raises_costs_one_connection(kernel):
    made = []

    def factory():
        made.append(None)
        if len(made) == 1:
            raise RuntimeError("no protocol")
        return echo()

    sock = kernel.bound()
    kernel.net.listen(sock, factory)
    first, second = (kernel.connect((sock.family, sock.getsockname())) for _ in range(2))
    await first.told("connection_lost")
    await second.told("connection_made")
    assert [str(exc) for exc in kernel.failures] == ["no protocol"]


async def test_a_socket_that_does_not_listen(kernel):
    with socket.socket() as sock, pytest.raises(ValueError, match="listening"):
        kernel.net.listen(sock, Peer)


async def test_a_listener_that_was_shut_down_does_not_spin(kernel):
    sock = kernel.bound()
    kernel.net.listen(sock, Peer)
    sock.shutdown(socket.SHUT_RDWR)
    for _ in range(5):
        kernel.net.run()
    assert [exc.errno for exc in kernel.failures] == [errno.EINVAL]


STARVED = """
import asyncio, os, resource, socket
from lbd.net.sock import Poller

class Held:
    def connection_made(self, transport): made.append(transport)
    def data_received(self, data): made[0].write(data)
    def eof_received(self): return False
    def connection_lost(self, exc): lost.append(exc)

made, lost, exhausted = [], [], []
sock = socket.create_server(("127.0.0.1", 0), backlog=100)
clients = [socket.create_connection(sock.getsockname()) for _ in range(10)]
poller = Poller()
acceptor = poller.listen(sock, Held, exhausted=exhausted.append)
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 4, free + 4))
for _ in range(50):
    poller.run()
print(len(made), len(lost), len(exhausted), exhausted[0].errno)
made[1].close()
poller.run()
for _ in range(5):
    poller.run()
print(len(made), len(lost), len(exhausted))
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 4, free + 4))
for transport in made[2:]:
    transport.close()
for _ in range(9):
    poller.run()
print(len(made), len(lost))
poller.close()
"""


def test_out_of_descriptors_accepting_pauses_until_one_is_free():
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=60)
    first, second, third = (line.split() for line in done.stdout.splitlines())
    assert first == ["4", "0", "1", str(errno.EMFILE)], done.stderr
    # One place became free: one more is accepted, and the next try finds none again.
    assert second == ["5", "1", "2"]
    assert int(third[0]) > 5
    assert "Traceback" not in done.stderr


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


async def test_thousands_come_and_go_and_nothing_stays(kernel):
    _, where, made = kernel.listen()

    async def round_of(count):
        clients = [kernel.connect(where, Peer(connection_made=lambda peer: peer.transport.write(b"x")))
                   for _ in range(count)]
        for number, client in enumerate(clients):
            await client.got(1)
            (client.transport.abort if number % 2 else client.transport.close)()
        for peer in [*clients, *made]:
            await peer.told("connection_lost")
        made.clear()
        kernel.peers.clear()

    await round_of(200)
    gc.collect()
    descriptors, before = len(os.listdir("/proc/self/fd")), rss()
    for _ in range(15):
        await round_of(200)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert rss() - before < 4 << 20 or "libasan" in os.environ.get("LD_PRELOAD", "")     # it keeps what was freed
    assert not any(isinstance(one, Sock) for one in gc.get_objects())


async def test_closing_the_poller_closes_all(kernel):
    acceptor, where, made = kernel.listen()
    clients = [kernel.connect(where) for _ in range(3)]
    for client in clients:
        await client.told("connection_made")
    await kernel.until(lambda: len(made) == 3)
    never = kernel.connect(where)
    kernel.loop.remove_reader(kernel.net.fileno())
    kernel.net.close()
    assert all(peer.calls[-1] == "connection_lost" for peer in [*clients, *made, never])
    assert acceptor.fileno() == kernel.net.fileno() == -1
    with pytest.raises(ValueError, match="closed"):
        kernel.net.connect(*where, Peer())


def test_only_a_poller_makes_connections():
    for kind in (Sock, Acceptor):
        with pytest.raises(TypeError, match="Poller"):
            kind()
    Poller().close()
