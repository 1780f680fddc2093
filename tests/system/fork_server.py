"""The process of tests.system.forking as tests use it, and the daemons that it forks."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from tests.system.forked_worker import MESSAGE, ROOT, Program


class ForkServer:
    """The process, started with the first daemon; it ends with this one, or when it is closed. It has imported the lbd
    of the directory `root`, as it was then."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, words: Sequence[str], environment: Mapping[str, str], output: int,
              namespaces: int = 0) -> "ForkedDaemon":
        """Start `lbd` with these words and the environment, in the namespaces of another process if that is named; what
        it prints goes to the descriptor `output`."""
        if self._requests is None:
            self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = [sys.executable, "-P", "-m", "tests.system.forking", str(theirs.fileno())]
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=self.root,
                    env={**environment, "PYTHONPATH": f"{self.root}{os.pathsep}{ROOT}"})
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            message = json.dumps(Program("lbd", words, dict(environment), [1, 2], namespaces)).encode()
            socket.send_fds(self._requests, [message], [theirs.fileno(), output, output])
        return ForkedDaemon(ours)

    def close(self) -> None:
        """End it; daemons that run do so on."""
        if self._requests is not None and self._process is not None:
            self._requests.close()
            self._process.wait()
            self._requests = None


class ForkedDaemon:
    """A daemon, with the methods of `subprocess.Popen` that its tests use. `status` gives its process id, and its exit
    code once it has ended."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status
        self.pid = int(status.recv(MESSAGE))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or the negative number of the signal that ended it; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; raises TimeoutExpired after so many seconds."""
        if self.returncode is None:
            if not wait([self._status], timeout):
                raise subprocess.TimeoutExpired("lbd", timeout or 0)
            self.returncode = int(self._status.recv(MESSAGE))
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL unless it has ended."""
        self.send_signal(signal.SIGKILL)
