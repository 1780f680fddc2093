"""The processes of a demo, which are started and ended together."""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from lbd.errors import LbdError
from lbd.net import children

PR_SET_PDEATHSIG = 1
STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
WATCHED = STOP | {signal.SIGCHLD}
PATIENCE = (5.0, 1.0)  # seconds after the first and the second SIGTERM; then SIGKILL
FIRST_LINE = 15.0      # seconds until a process must have said its first line

LIBC = ctypes.CDLL(None, use_errno=True)


class ChildProcesses:
    """The child processes of this one, as a context manager.

    Within `with`, the signals in WATCHED are blocked and received by `wait`, so that none interrupts anything else.
    Each child leads a process group of its own: a Ctrl-C reaches this process only, which ends the children in reverse
    order of their start. If this process is killed, the kernel sends them SIGTERM.
    """

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.mask: set[signal.Signals] = set()
        self.parent = os.getpid()

    def __enter__(self) -> Self:
        self.mask = {signal.Signals(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        try:
            for name in reversed(list(self.running)):
                self.end(name)
        finally:
            while signal.sigtimedwait(WATCHED, 0):
                pass  # a second Ctrl-C has done its work in `end`
            signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    def start(self, name: str, words: Sequence[str], speaks: bool = False) -> str:
        """Start `lbd` with the words; with `speaks`, wait for the first line it prints, and return it."""
        process = subprocess.Popen([sys.executable, "-P", "-m", "lbd", *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE if speaks else None, text=True, process_group=0,
                                   env={**os.environ, "PYTHONPATH": children.import_path()},
                                   preexec_fn=self.prepare_child)
        self.running[name] = process
        if process.stdout is None:
            return ""
        line = process.stdout.readline() if select.select([process.stdout], [], [], FIRST_LINE)[0] else ""
        if not line:
            self.end(name)
            raise LbdError(f"{name} did not start (exit code {process.returncode})")
        return line.strip()

    def prepare_child(self) -> None:
        """Restore the signal mask and ask for SIGTERM at the parent's death; runs in the child before exec."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)
        LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != self.parent:
            os._exit(1)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a stop signal: True, or False after the time. Raises `LbdError` when a child has ended."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise LbdError(f"{name} has ended by itself (exit code {process.returncode})")
            if until is None:
                number: int | None = signal.sigwait(WATCHED)
            else:
                got = signal.sigtimedwait(WATCHED, max(0.0, until - time.monotonic()))
                number = got.si_signo if got else None
            if number in STOP:
                return True
            if number is None:
                return False

    def end(self, name: str) -> None:
        """Send SIGTERM, again after a delay or another stop signal, then kill the process group."""
        process = self.running.pop(name)
        for patience in PATIENCE:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                self.wait_for_end(process, patience)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()

    def wait_for_end(self, process: subprocess.Popen[str], seconds: float) -> None:
        """Wait until the process has ended, the time is over, or another stop signal came."""
        until = time.monotonic() + seconds
        while process.poll() is None and (left := until - time.monotonic()) > 0:
            got = signal.sigtimedwait(WATCHED, left)
            if got and got.si_signo in STOP:
                return
