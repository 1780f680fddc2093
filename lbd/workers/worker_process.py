"""A worker process as the supervisor sees it: its start, its control channel, its state and its end."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.net import children
from lbd.process import systemd
from lbd.workers import template
from lbd.workers.channel import Channel
from lbd.workers.child_process import ChildProcess
from lbd.workers.codec import ORDERS, REPORTS
from lbd.workers.messages import Drain, Message
from lbd.workers.pending_answers import PendingAnswers
from lbd.workers.pipe_lines import PipeLines

# Measured: without them every 1 MB upload costs page faults anew. The price is that a peak is not given back.
ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(16 * 2**20),
    "MALLOC_TOP_PAD_": str(2**20),
    "MALLOC_ARENA_MAX": "1",
}
M = TypeVar("M", bound=Message)

HUNG_UP = 1.0   # seconds that a worker may live after its channel broke
STACK = signal.SIGUSR1   # a worker answers it with its stack, even when its loop stands still
WAKEUPS = "LBD_WAKEUPS"  # in its environment: the eventfds. An option that an older version on disk lacks would end it


class WorkerProcess:
    """A worker. `on_report` gets its messages that answer nothing, `write_log_line` each line of its log; `wakeups` are
    the eventfds of `net.wakeups`. Raises `LbdError` when it cannot be started."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slot: int, lane: int, board: int, log_form: str,
                 on_report: "Callable[[WorkerProcess, Message], None]", write_log_line: Callable[[str], None],
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
        self._on_report = on_report
        self._answers = PendingAnswers()
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            command = _command(slot, lane, theirs.fileno(), board, log_form)
            environment, fds = _environment(wakeups), (theirs.fileno(), board, *wakeups)
            forked = template.fork(command, environment, writer, fds)
            self._child = ChildProcess(loop, command, environment, fds, writer, self._on_exit, forked)
        except OSError as error:
            ours.close()
            os.close(reader)
            reason = (f"user {os.geteuid()} cannot run {sys.executable}, or look into its directories"
                      if isinstance(error, PermissionError) else error.strerror)
            raise LbdError(f"cannot start a worker: {reason}") from None
        finally:
            theirs.close()
            os.close(writer)
        self._lines = PipeLines(loop, reader, write_log_line)
        self._channel = Channel(loop, ours, ORDERS, REPORTS, self._on_message, self._on_channel_closed)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def log(self) -> int:
        """The descriptor from which its log comes; -1 once that is at its end."""
        return self._lines.fd

    def age(self) -> float:
        """Seconds since it was started."""
        return self._loop.time() - self.born

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send without waiting for an answer; messages to a dead worker are lost."""
        self._channel.send(message, fds)

    async def request(self, message: Message, *kinds: type[Message]) -> Message:
        """Send, and wait for the next message of these kinds. Raises `LbdError` when the worker dies before.

        A cancelled call still takes the answer to its message, lest the next call takes it for its own.
        """
        future = self._expect(kinds)
        self._channel.send(message)
        answer: Message = await future
        return answer

    async def receive(self, kind: type[M]) -> M:
        """Wait for the next message of this kind. Raises `LbdError` when the worker dies before."""
        future = self._expect((kind,))
        try:
            message: M = await future
            return message
        except asyncio.CancelledError:
            self._answers.forget(future)
            raise

    def drain(self, timeout: float) -> None:
        """Tell the worker to drain within `timeout` seconds and to end."""
        self.draining = True
        self._channel.send(Drain(timeout))

    def kill(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if not self.ended.is_set():
            self._child.send_signal(number)

    def _expect(self, kinds: tuple[type, ...]) -> asyncio.Future[Any]:
        if self.ended.is_set():
            raise LbdError(f"worker {self.slot} ({self.pid}) is dead")
        return self._answers.expect(kinds)

    def _on_message(self, message: Message, _fds: list[int]) -> None:
        if not self._answers.deliver(message):
            self._on_report(self, message)

    def _on_channel_closed(self, reason: str) -> None:
        # Mostly the worker is dying. If it lives on without its channel, it can be told nothing any more.
        self._loop.call_later(HUNG_UP, self._kill_deaf, reason)

    def _kill_deaf(self, reason: str) -> None:
        if not self.ended.is_set():
            self.why = self.why or f"its control channel is broken: {reason}"
            self.kill(signal.SIGKILL)

    def _on_exit(self) -> None:
        self._lines.read()
        self._lines.close()
        self._channel.close()
        self.why = self._child.describe_end(self.why)
        self.ended.set()
        self._answers.fail(f"worker {self.slot} ({self.pid}) died: {self.why}")


def _command(slot: int, lane: int, channel: int, board: int, log_form: str) -> list[str]:
    return [sys.executable, "-P", "-m", template.MODULE, "--slot", str(slot), "--lane", str(lane),
            "--channel", str(channel), "--board", str(board), "--log", log_form]


def _environment(wakeups: Sequence[int]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in systemd.VARIABLES}
    return {**own, **ALLOCATOR, "PYTHONPATH": children.import_path(), "PYTHONUNBUFFERED": "1",
            WAKEUPS: ",".join(map(str, wakeups))}
