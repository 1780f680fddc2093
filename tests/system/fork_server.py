"""A process that has imported lbd and becomes daemons by fork: imports are most of what a start costs.

A daemon runs what `python -m lbd` runs, in a process that did nothing else than import it. Its workers are forked by a
template, a child of the daemon as bare as that, but as the daemon's own children (CLONE_PARENT, clone(2)): their ends
and signals are those of workers that it executed itself.
"""

import contextlib
import ctypes
import fcntl
import functools
import gc
import json
import os
import platform
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import lbd.cli.commands.daemon
import lbd.control.worker
from lbd.workers import child_process
from lbd.workers.worker_process import ALLOCATOR

ROOT = Path(__file__).parents[2]
POSSIBLE = platform.machine() == "x86_64"
TEMPLATE = "lbd-template"       # the name of the process, as /proc/PID/comm has it
_CLONE, _CLONE_PARENT = 56, 0x8000      # the system call, on x86_64
_NAMESPACES = 0x10000000 | 0x40000000 | 0x20000         # user, network and mount: CLONE_NEWUSER and so on (setns(2))
_WORKER = lbd.control.worker.__name__
_ASIDE = 500                    # descriptors from here on wait there for their places
_MESSAGE, _FDS = 200_000, 64    # most bytes and descriptors of a request


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
        self.pid = int(status.recv(_MESSAGE))
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
            self.returncode = int(self._status.recv(_MESSAGE))
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL unless it has ended."""
        self.send_signal(signal.SIGKILL)


class ForkedWorker:
    """A worker in its supervisor, with the methods of `subprocess.Popen` that it uses."""

    def __init__(self, requests: int, command: Sequence[str], *, stdout: int, pass_fds: Sequence[int],
                 env: Mapping[str, str], **_: object) -> None:
        words = command[command.index(_WORKER) + 1:]
        message = json.dumps(Program(_WORKER, words, env, [1, 2, *pass_fds])).encode()
        with socket.socket(fileno=os.dup(requests)) as sock:
            socket.send_fds(sock, [message], [stdout, stdout, *pass_fds])
            self.pid = int(sock.recv(_MESSAGE))
        self.returncode: int | None = None

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it was waited for."""
        if self.returncode is None:
            os.kill(self.pid, number)


class Program(NamedTuple):
    """A module to run as the main program; its descriptors get the numbers in `places`. `namespaces` is the process
    whose user, network and mount namespaces it runs in, 0 for those of the server."""

    module: str
    words: Sequence[str]
    environment: Mapping[str, str]
    places: Sequence[int]
    namespaces: int = 0

    def enter(self) -> None:
        """Enter the namespaces, as nsenter(1) does."""
        if self.namespaces:
            pidfd = os.pidfd_open(self.namespaces)
            if ctypes.CDLL(None, use_errno=True).setns(pidfd, _NAMESPACES):
                raise OSError(ctypes.get_errno(), "setns")
            os.close(pidfd)
            os.chdir(ROOT)

    def run(self, fds: Sequence[int]) -> None:
        """Run it in this process. `fds` come to their places; all others below `_ASIDE` are closed."""
        aside = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ASIDE) for fd in fds]
        os.closerange(1, _ASIDE)
        for fd, place in zip(aside, self.places, strict=True):
            os.dup2(fd, place)
            os.close(fd)
        Path("/proc/self/comm").write_text(Path(sys.executable).name[:15])
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv[1:] = self.words
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runpy.run_module(self.module, run_name="__main__")


Request = tuple[Program, list[int]]     # with the descriptors that it gets


def receive(requests: socket.socket) -> Request | None:
    """Return the next request; None once nobody can ask any more."""
    message, fds, _, _ = socket.recv_fds(requests, _MESSAGE, _FDS)
    return (Program(*json.loads(message)), fds) if message else None


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


def fork_workers(requests: socket.socket) -> Request | None:
    """Fork a child of this one's parent for each request, answer its process id, and return the request there."""
    python = ctypes.PyDLL(None)
    while request := receive(requests):
        python.PyOS_BeforeFork()
        pid = python.syscall(_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if not pid:
            python.PyOS_AfterFork_Child()
            return request
        python.PyOS_AfterFork_Parent()
        requests.send(b"%d" % pid)
        for fd in request[1]:
            os.close(fd)
    return None


def template() -> Request | None:
    """Start the template of this daemon's workers; returns None here and in the template, at its end, and in each
    worker what it runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        if os.fork():
            kept = fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, _ASIDE)
            child_process.subprocess = SimpleNamespace(          # type: ignore[attr-defined]
                DEVNULL=subprocess.DEVNULL, Popen=functools.partial(ForkedWorker, kept))
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
    del sys.modules[_WORKER]        # it runs as __main__
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        request = fork_daemons(requests)
    if request:
        request[0].enter()
        program, fds = template() or request
        program.run(fds)


if __name__ == "__main__":
    main()
