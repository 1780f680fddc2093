"""A process that has imported lbd and becomes daemons by fork: imports are most of what a start costs.

A daemon runs what `python -m lbd` runs, in a process that did nothing else than import it. Its workers are forked by a
template, a child of the daemon that is as bare as that.
"""

import contextlib
import fcntl
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace

import lbd.cli.commands.daemon as daemon
from lbd.workers import child_process
from lbd.workers.worker_process import ALLOCATOR
from tests.system.forked_worker import (
    ASIDE,
    MESSAGE,
    ROOT,
    WORKER,
    Program,
    Request,
    fork_workers,
    receive,
    start_child,
)

TEMPLATE = "lbd-template"       # the name of a template, as /proc/PID/comm has it
IMPORTED = daemon               # with all that serves


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
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", __name__, str(theirs.fileno())], stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()], cwd=self.root,
                    env={**environment, **ALLOCATOR, "PYTHONPATH": f"{self.root}{os.pathsep}{ROOT}"})
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


def fork_daemons(requests: socket.socket) -> Request | None:
    """Fork a process for each request, and return it there; in this one tell whoever asked of the end of each."""
    running: dict[int, tuple[int, socket.socket]] = {}      # process id and status, by pidfd
    while True:
        ready = wait([requests.fileno(), *running])
        for pidfd in running.keys() & set(ready):
            pid, status = running.pop(pidfd)
            with status, contextlib.suppress(OSError):      # the test may have ended
                status.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os.close(pidfd)
        if requests.fileno() in ready:
            request = receive(requests)
            if request is None:
                return None
            program, (answer, *fds) = request
            status = socket.socket(fileno=answer)
            pid = os.fork()
            if not pid:
                return program, fds
            status.send(b"%d" % pid)
            running[os.pidfd_open(pid)] = pid, status
            for fd in fds:
                os.close(fd)


def template() -> Request | None:
    """Start the template of this daemon's workers; returns None here and in the template, at its end, and in each
    worker what it runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        if os.fork():
            kept = fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, ASIDE)
            child_process.subprocess = SimpleNamespace(          # type: ignore[attr-defined]
                DEVNULL=subprocess.DEVNULL, Popen=functools.partial(start_child, kept))
            return None
        ours.close()
        Path("/proc/self/comm").write_text(TEMPLATE)
        request = fork_workers(theirs)
    if not request:
        os._exit(0)
    return request


def main() -> None:
    """Serve, or run the program in a child of the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    del sys.modules[WORKER]        # it runs as __main__
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        request = fork_daemons(requests)
    if request:
        request[0].enter()
        program, fds = template() or request
        program.run(fds)


if __name__ == "__main__":
    main()
