"""Workers that are forked by a template, a process that has imported a worker and does nothing else.

They are children of the template's parent, a supervisor (CLONE_PARENT, clone(2)): their ends and signals are those of
workers that it executed itself.
"""

import ctypes
import fcntl
import gc
import json
import os
import platform
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
POSSIBLE = platform.machine() == "x86_64"
WORKER = "lbd.control.worker"
TEMPLATE = "lbd-template"       # the name of a template, as /proc/PID/comm has it
ASIDE = 500                     # descriptors from here on wait there for their places
MESSAGE, FDS = 200_000, 64      # most bytes and descriptors of a request
_CLONE, _CLONE_PARENT = 56, 0x8000      # the system call, on x86_64
_NAMESPACES = 0x10000000 | 0x40000000 | 0x20000         # user, network and mount: CLONE_NEWUSER and so on (setns(2))


class ForkedWorker:
    """A worker in its supervisor, with the methods of `subprocess.Popen` that it uses."""

    def __init__(self, requests: int, words: Sequence[str], *, stdout: int, pass_fds: Sequence[int],
                 env: Mapping[str, str], **_: object) -> None:
        message = json.dumps(Program(WORKER, words, env, [1, 2, *pass_fds])).encode()
        with socket.socket(fileno=os.dup(requests)) as sock:
            socket.send_fds(sock, [message], [stdout, stdout, *pass_fds])
            self.pid = int(sock.recv(MESSAGE))
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


def start_child(requests: int, command: Sequence[str], **options: Any) -> "ForkedWorker | subprocess.Popen[bytes]":
    """Start a child of a supervisor: a worker by a request to its template, any other program by exec."""
    if WORKER not in command:
        return subprocess.Popen(command, **options)
    return ForkedWorker(requests, command[command.index(WORKER) + 1:], **options)


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
        """Run it in this process. `fds` come to their places; all others below `ASIDE` are closed."""
        aside = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ASIDE) for fd in fds]
        os.closerange(1, ASIDE)
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
    message, fds, _, _ = socket.recv_fds(requests, MESSAGE, FDS)
    return (Program(*json.loads(message)), fds) if message else None


def requested(fork: Callable[[socket.socket], Request | None]) -> Request | None:
    """Fork for the requests on the socket that the command line names, bare as this process is; returns what `fork`
    does: in a child the request, None at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    del sys.modules[WORKER]         # it runs as __main__
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        return fork(requests)


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
