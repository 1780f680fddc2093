"""The worker's side: what it does with messages, and when its supervisor is gone."""

import asyncio
import socket
import subprocess
import sys

import pytest

from lbd.backend.snapshot import Generation
from lbd.control import worker as module
from lbd.control.worker import Worker, main
from lbd.errors import LbdError
from lbd.process import socket_owners
from lbd.schema import BackendConfig, Config, Global, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats.scoreboard import Board
from lbd.workers.channel import Channel
from lbd.workers.codec import ORDERS, REPORTS
from lbd.workers.messages import (
    Commit,
    Committed,
    Confirm,
    Confirmed,
    ConnectFailed,
    Discard,
    Drain,
    Listen,
    Ping,
    Pong,
    Prepare,
    Ready,
    Veto,
    WorkerHello,
)

CONFIG = Config(global_=Global(drain_timeout=0.0), listeners={"web": ListenerConfig(bind=(), backend="app")},
                backends={"app": BackendConfig(servers={"a": ServerConfig(address=Address("127.0.0.1", 9))})})


class FakePlane:
    """Notes what it is told."""

    def __init__(self, loop, net, board, lane, report, wakeups):
        self.told = []
        self.refuse = None
        self.sockets = []

    def prepare(self, generation):
        if self.refuse is not None:
            raise self.refuse
        self.told.append("prepare")

    def commit(self):
        self.told.append("commit")

    def discard(self):
        self.told.append("discard")

    def listen(self, listener, sock):
        self.told.append("listen")
        self.sockets.append(sock)

    def unlisten(self, listener):
        self.told.append("unlisten")

    def drain(self, timeout, done):
        self.told.append("drain")

    def cut(self):
        self.told.append("cut")


class FakeGarbage:
    """Leaves the collector of the test process alone."""

    def __init__(self, loop):
        return

    def note_generation(self):
        return


@pytest.fixture
async def pair(monkeypatch):
    """A worker with a fake plane, and the supervisor's end of its channel."""
    monkeypatch.setattr(module, "DataPlane", FakePlane)
    monkeypatch.setattr(module, "Garbage", FakeGarbage)
    monkeypatch.setattr(module.log, "set_up", lambda *_, **__: None)
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    got = asyncio.Queue()
    channel = Channel(loop, ours, ORDERS, REPORTS, lambda message, fds: got.put_nowait(message), lambda reason: None)
    worker = Worker(loop, Board.create(2), 0, theirs, "json")
    async with asyncio.timeout(20):
        assert isinstance(await got.get(), WorkerHello)
    yield worker, channel, got
    channel.close()
    worker._channel.close()
    loop.remove_reader(worker._poller.fileno())
    worker._poller.close()
    for sock in worker._data_plane.sockets:
        sock.close()


def generation():
    return Generation(1, CONFIG, {"app": ()}, {"app": 0}, {"web": 0}, {("web", "app"): 0, ("web", ""): 1})


async def test_prepare_commit_and_listen(pair):
    worker, channel, got = pair
    channel.send(Prepare(generation()))
    channel.send(Commit(1))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        channel.send(Listen("web"), [sock.fileno(), sock.fileno()])
    channel.send(Confirm())
    channel.send(Ping(5))
    assert [await got.get() for _ in range(4)] == [Ready(1), Committed(1), Confirmed(), Pong(5)]
    assert worker._data_plane.told == ["prepare", "commit", "unlisten", "listen", "listen"]


@pytest.mark.parametrize(("error", "reason"), [
    (LbdError("no such key"), "no such key"), (ValueError("odd"), "generation 1 cannot be built: ValueError('odd')")])
async def test_what_cannot_be_built_is_vetoed(pair, error, reason):
    worker, channel, got = pair
    worker._data_plane.refuse = error
    channel.send(Prepare(generation()))
    channel.send(Discard(1))
    assert await got.get() == Veto(1, reason)
    channel.send(Ping(1))
    await got.get()
    assert worker._data_plane.told == ["discard"]


async def test_a_commit_of_nothing_is_not_answered(pair):
    worker, channel, got = pair
    channel.send(Commit(9))
    channel.send(Ping(1))
    assert await got.get() == Pong(1)
    assert worker._data_plane.told == []


async def test_one_drain_is_enough_and_sockets_are_refused_then(pair):
    worker, channel, got = pair
    channel.send(Drain(1.0))
    channel.send(Drain(1.0))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        channel.send(Listen("web"), [sock.fileno()])
    channel.send(Ping(1))
    await got.get()
    assert worker._data_plane.told == ["drain", "unlisten"]


async def test_an_orphan_serves_on_and_then_drains(pair, monkeypatch):
    worker, channel, _ = pair
    monkeypatch.setattr(module, "ORPHANED", 0.0)
    called = []
    monkeypatch.setattr(socket_owners, "become_orphan", lambda: called.append("orphan"))   # not this process
    drained = asyncio.Event()
    monkeypatch.setattr(worker._data_plane, "drain", lambda timeout, done: drained.set())
    channel.close()
    await drained.wait()
    assert called == ["orphan"]


async def test_suspects_are_reported_up_to_a_bound(pair):
    worker, channel, got = pair
    for number in range(3 * module.MOST_REPORTED):
        worker._report_connect_failure("app", f"s{number}", "127.0.0.1:1")
    channel.send(Ping(1))
    seen = []
    while not isinstance(message := await got.get(), Pong):
        seen.append(message)
    assert [message.server for message in seen] == [f"s{number}" for number in range(module.MOST_REPORTED)]


async def test_a_suspect_is_reported_once_in_a_while(pair):
    worker, _, got = pair
    for _ in range(100):
        worker._report_connect_failure("app", "a", "127.0.0.1:1")
    worker._report_connect_failure("app", "b", "127.0.0.1:2")
    assert [await got.get() for _ in range(2)] == [
        ConnectFailed("app", "a", "127.0.0.1:1"), ConnectFailed("app", "b", "127.0.0.1:2")]
    assert got.empty()


def test_bad_arguments_end_with_usage():
    with pytest.raises(SystemExit):
        main(["--slot", "x"])


def test_workers_do_without_the_package_that_reads_certificates():
    """It costs memory, and parses what came from outside; the supervisor hands over what it read."""
    ask = "import sys, lbd.control.worker; print([name for name in sys.modules if name.startswith('cryptography')])"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout == "[]\n"
