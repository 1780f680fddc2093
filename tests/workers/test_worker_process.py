"""A real worker process: its start, its answers, its end."""

import asyncio
import os
import pickle
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lbd import __version__
from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.net.wakeups import open_wakeups
from lbd.schema import Config
from lbd.stats.scoreboard import Board
from lbd.workers import worker_process as module
from lbd.workers.messages import Commit, Committed, Drain, Ping, Pong, Prepare, Ready, WorkerHello
from lbd.workers.worker_process import ALLOCATOR, STACK, WorkerProcess
from tests.waiting import turn, until

EMPTY = Generation(1, Config(), {}, {}, {}, {})


@pytest.fixture
async def worker():
    board = Board.create(4)
    lines, heard = [], []
    process = WorkerProcess(asyncio.get_running_loop(), 0, 0, board.fd, "json",
                            lambda _, message: heard.append(message), lines.append)
    process.lines, process.heard, process.layout = lines, heard, board.layout
    yield process
    process.kill(signal.SIGKILL)
    async with asyncio.timeout(30):
        await process.ended.wait()


async def test_it_greets_with_version_and_layout(worker):
    assert await worker.receive(WorkerHello) == WorkerHello(__version__, worker.layout)
    assert worker.age() >= 0


async def test_it_greets_a_supervisor_of_another_version_too(monkeypatch):
    command = module._command
    monkeypatch.setattr(module, "_command", lambda *args: [*command(*args), "--eventfds", "7,8"])
    board = Board.create(4)
    process = WorkerProcess(asyncio.get_running_loop(), 0, 0, board.fd, "json", lambda *_: None, lambda line: None)
    assert await process.receive(WorkerHello) == WorkerHello(__version__, board.layout)
    process.kill(signal.SIGKILL)
    await process.ended.wait()


def test_a_worker_of_an_older_version_knows_every_option():
    words = module._command(0, 1, 5, 6, "json")
    options = [word for word in words[words.index("lbd.control.worker"):] if word.startswith("-")]
    assert options == ["--slot", "--lane", "--channel", "--board", "--log"]


async def test_it_prepares_commits_and_answers_pings(worker):
    assert await worker.request(Prepare(EMPTY), Ready) == Ready(1)
    assert await worker.request(Commit(1), Committed) == Committed(1)
    assert await worker.request(Ping(7), Pong) == Pong(7)


async def test_an_answer_that_comes_too_late_is_not_the_next_ones(worker):
    await worker.receive(WorkerHello)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await worker.request(Prepare(EMPTY), Ready)
    assert await worker.request(Prepare(replace(EMPTY, number=2)), Ready) == Ready(2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await worker.receive(Pong)
    assert await worker.request(Ping(3), Pong) == Pong(3)


async def test_it_ends_when_it_drained(worker):
    await worker.receive(WorkerHello)
    worker.send(Drain(0.0))
    await worker.ended.wait()
    assert worker.why == "exit code 0"


async def test_signals_of_the_terminal_are_ignored(worker):
    await worker.receive(WorkerHello)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        worker.kill(number)
    assert await worker.request(Ping(1), Pong) == Pong(1)


async def test_its_stack_comes_out_before_its_end(worker):
    await worker.receive(WorkerHello)
    worker.kill(STACK)
    assert await worker.request(Ping(1), Pong) == Pong(1)
    worker.kill(signal.SIGKILL)
    await worker.ended.wait()
    assert worker.why == "killed by SIGKILL"
    assert any("most recent call first" in line for line in worker.lines)


async def test_who_waits_for_a_dead_worker_is_told(worker):
    await worker.receive(WorkerHello)
    asking = asyncio.ensure_future(worker.receive(Ready))
    await turn()
    worker.kill(signal.SIGKILL)
    with pytest.raises(LbdError, match="died: killed by SIGKILL"):
        await asking
    with pytest.raises(LbdError, match="is dead"):
        await worker.request(Ping(1), Pong)


async def test_its_own_eventfd_wakes_it():
    wakeups, board = open_wakeups(2), Board.create(4)
    process = WorkerProcess(asyncio.get_running_loop(), 0, 1, board.fd, "json", lambda *_: None, lambda line: None,
                            wakeups)
    await process.receive(WorkerHello)
    for fd in wakeups:
        os.eventfd_write(fd, 7)

    def counts():
        infos = [Path(f"/proc/self/fdinfo/{fd}").read_text().split() for fd in wakeups]
        return [int(info[info.index("eventfd-count:") + 1], 16) for info in infos]

    await until(lambda: counts() == [7, 0])
    process.kill(signal.SIGKILL)
    await process.ended.wait()
    for fd in wakeups:
        os.close(fd)


async def test_its_environment_and_descriptors(worker):
    await worker.receive(WorkerHello)
    with open(f"/proc/{worker.pid}/environ") as file:
        environment = file.read().split("\0")
    assert all(f"{name}={value}" in environment for name, value in ALLOCATOR.items())
    assert len(os.listdir(f"/proc/{worker.pid}/task")) == 1


# In place of a worker: greets, then sends the bytes argv[2] in hex, with argv[3] descriptors, and lives on.
TAKEN_OVER = """
import array, socket, struct, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
def frame(body):
    return struct.pack("!IH", len(body), 0) + body
sock.sendall(frame(b'["Hello","x",1]'))
fds = array.array("i", [0] * int(sys.argv[3]))
sock.sendmsg([frame(bytes.fromhex(sys.argv[2]))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
while True:
    time.sleep(60)
"""


class Command:
    """A command that a pickle runs when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(("body", "fds", "why"), [
    (None, 0, "a message that cannot be read: "),
    (b'["Pong",{}]', 0, "a message that cannot be read: ValueError('Pong with fields that it does not have')"),
    (b'["Prepare",1]', 0, "a message that cannot be read: ValueError(\"nothing is named 'Prepare'\")"),
    (b'["Veto",1,"' + b"x" * 40_000 + b'"]', 0, "a message that cannot be read: "),
    (b'["Pong",1]', 3, "descriptors came, which this end takes none of"),
])
async def test_a_worker_that_is_none_any_more_is_replaced(body, fds, why, tmp_path, monkeypatch):
    body = pickle.dumps(Command(tmp_path / "made")) if body is None else body
    monkeypatch.setattr(module, "HUNG_UP", 0.0)
    monkeypatch.setattr(module, "_command", lambda slot, lane, channel, *_: [
        sys.executable, "-c", TAKEN_OVER, str(channel), body.hex(), str(fds)])
    heard = []
    process = WorkerProcess(asyncio.get_running_loop(), 0, 0, Board.create(4).fd, "json",
                            lambda _, said: heard.append(said), lambda line: None)
    async with asyncio.timeout(30):
        await process.ended.wait()
    assert heard == [WorkerHello("x", 1)] or (fds and not heard)      # both may come at once
    assert process.why.startswith(f"its control channel is broken: {why}")
    assert len(process.why) < 300
    assert not (tmp_path / "made").exists()


async def test_a_python_that_may_not_be_run_is_named(monkeypatch, tmp_path):
    (tmp_path / "python3").touch(0o644)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    with pytest.raises(LbdError, match=rf"user {os.geteuid()} cannot run {tmp_path}/python3, or look into its dir"):
        WorkerProcess(asyncio.get_running_loop(), 0, 0, Board.create(4).fd, "json",
                      lambda _process, _message: None, print)
