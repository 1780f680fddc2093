"""One worker process as the supervisor sees it: started by exec, spoken to over its channel, watched until its end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.net import children
from lbd.process import systemd
from lbd.process.channel import Channel
from lbd.process.codec import ORDERS, REPORTS
from lbd.process.messages import Message
from lbd.process.pipe_lines import Lines

# Measured: without them every 1 MB upload costs page faults anew. The price is that a peak is not given back.
ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(16 * 2**20),
    "MALLOC_TOP_PAD_": str(2**20),
    "MALLOC_ARENA_MAX": "1",
}
HUNG_UP = 1.0   # seconds that a worker may live after its channel broke
STACK = signal.SIGUSR1   # a worker answers it with its stack, even when its loop stands still


class WorkerProcess:
    """A worker. `heard` gets what it says unasked; `line` each line of its log; `wakeups`: see `net.wakeups`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slot: int, lane: int, board: int, log_form: str,
                 heard: "Callable[[WorkerProcess, Message], None]", line: Callable[[str], None],
                 wakeups: Sequence[int] = ()) -> None:
        self.slot = slot
        self.lane = lane
        self.born = loop.time()
        self.generation: Generation | None = None   # in force there
        self.given: dict[str, tuple[tuple[int, int], ...]] = {}   # sockets by listener, as (descriptor, inode)
        self.unanswered = 0                         # pings
        self.draining = False
        self.ended = asyncio.Event()
        self.why = ""
        self._loop = loop
        self._heard = heard
        self._waiting: list[tuple[tuple[type, ...], asyncio.Future[Any]]] = []
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            self._popen = subprocess.Popen(
                _command(slot, lane, theirs.fileno(), board, log_form, wakeups), stdin=subprocess.DEVNULL,
                stdout=writer, stderr=writer, pass_fds=(theirs.fileno(), board, *wakeups), env=_environment())
        except OSError as error:
            ours.close()
            os.close(reader)
            reason = (f"user {os.geteuid()} cannot run {sys.executable}, or look into its directories"
                      if isinstance(error, PermissionError) else error.strerror)
            raise LbdError(f"cannot start a worker: {reason}") from None
        finally:
            theirs.close()
            os.close(writer)
        self.pid = self._popen.pid
        children.started(self.pid)
        self._lines = Lines(loop, reader, line)
        self._channel = Channel(loop, ours, ORDERS, REPORTS, self._receive, self._hung_up)
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._exited)

    @property
    def log(self) -> int:
        """The descriptor from which its log comes; -1 once that is at its end."""
        return self._lines.fd

    def age(self) -> float:
        """Seconds since it was started."""
        return self._loop.time() - self.born

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send without waiting for an answer; what a dead worker is sent is lost."""
        self._channel.send(message, fds)

    async def ask(self, message: Message | None, *kinds: type) -> Any:
        """Send, and wait for the next message of these kinds. Raises `LbdError` when the worker dies before.

        Who waits no longer leaves the place to the answer that still comes, lest the next to ask takes it for theirs.
        """
        if self.ended.is_set():
            raise LbdError(f"worker {self.slot} ({self.pid}) is dead")
        future = self._loop.create_future()
        entry = kinds, future
        self._waiting.append(entry)
        if message is not None:
            self._channel.send(message)
        try:
            return await future
        except asyncio.CancelledError:
            if message is None and entry in self._waiting:
                self._waiting.remove(entry)
            raise

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if not self.ended.is_set():
            self._popen.send_signal(number)

    def _receive(self, message: Message, _fds: list[int]) -> None:
        for entry in self._waiting:
            kinds, future = entry
            if isinstance(message, kinds):
                self._waiting.remove(entry)
                if not future.done():
                    future.set_result(message)
                return
        self._heard(self, message)

    def _hung_up(self, reason: str) -> None:
        # Mostly it is just dying. One that lives on without its channel can be told nothing any more.
        self._loop.call_later(HUNG_UP, self._end_hung_up, reason)

    def _end_hung_up(self, reason: str) -> None:
        if not self.ended.is_set():
            self.why = self.why or f"its control channel is broken: {reason}"
            self.kill(signal.SIGKILL)

    def _exited(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._popen.wait()
        children.ended(self.pid)
        self._lines.read()
        self._lines.close()
        self._channel.close()
        self.why = _cause(self._popen.returncode, self.why)
        self.ended.set()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(LbdError(f"worker {self.slot} ({self.pid}) died: {self.why}"))
        self._waiting.clear()


def _command(slot: int, lane: int, channel: int, board: int, log_form: str, wakeups: Sequence[int]) -> list[str]:
    # -P and the parent's own path: the working directory must not decide which code runs.
    return [sys.executable, "-P", "-m", "lbd.control.worker", "--slot", str(slot), "--lane", str(lane),
            "--channel", str(channel), "--board", str(board), "--log", log_form,
            "--wakeups", ",".join(map(str, wakeups))]


def _environment() -> dict[str, str]:
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if not entry.endswith(".zip"))
    mine = {name: value for name, value in os.environ.items() if name not in systemd.VARIABLES}
    return {**mine, **ALLOCATOR, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _cause(code: int, known: str) -> str:
    if known and code == -signal.SIGKILL:
        return known
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"
