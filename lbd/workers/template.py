"""The template of workers: a process that has imported what they need and does nothing else than to fork them.

Forked workers share the memory of all that was imported, and start at once. The template forks twice, so that a worker
comes to the supervisor, which is the subreaper of all below it (PR_SET_CHILD_SUBREAPER(2const)): its end and its
signals are those of a child that was executed, as it is wherever there is no template of use.
"""

import contextlib
import ctypes
import fcntl
import functools
import gc
import io
import itertools
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from lbd import installation
from lbd.log.logger import logger
from lbd.process import privileges

MODULE = "lbd.control.worker"   # whose `main` a worker runs
NAME = "lbd-template"     # of its process; at most 15 characters
ANSWER = 2.0              # seconds within which it has forked a worker
LONGEST, MOST = 2**18, 253    # bytes of a request, and its descriptors (SCM_MAX_FD of unix(7))
MOST_FILES = 2**20        # descriptors are less than that
_PR_SET_CHILD_SUBREAPER = 36
# Of mallopt(3), by the names that glibc reads from the environment of a process that is executed.
_OPTIONS = {"MALLOC_TRIM_THRESHOLD_": -1, "MALLOC_TOP_PAD_": -2, "MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_ARENA_MAX": -8}

Main = Callable[[list[str]], int]       # of a worker
_templates: list["Template"] = []       # at most one


class WorkerProgram(NamedTuple):
    """A worker to be: its command line, its environment, the places of its descriptors, and the limits of their
    number, soft and hard."""

    words: list[str]
    environment: dict[str, str]
    places: list[int]
    files: tuple[int, int]


class ForkedChild:
    """A worker of the template, with the methods of `subprocess.Popen` that a supervisor uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
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


class Template:
    """The template as the supervisor sees it, by its end of the socket for requests."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(ANSWER)

    def fork(self, words: Sequence[str], environment: Mapping[str, str], output: int, fds: Sequence[int]) -> int:
        """Fork a worker and return its process id; it has `fds` under their numbers. Raises `OSError`."""
        places = [1, 2, *fds]
        files = resource.getrlimit(resource.RLIMIT_NOFILE)
        program = WorkerProgram(list(words), dict(environment), places, files)
        request = json.dumps([privileges.rights(), *program]).encode()
        socket.send_fds(self._sock, [request], [output, output, *fds])
        pid = int(self._sock.recv(20) or b"0")
        if not pid:
            raise BlockingIOError("no worker was forked")
        return pid

    def close(self) -> None:
        """Let it end."""
        self._sock.close()


def begin(main: Main) -> None:
    """Fork the template of workers that run `main`. Must be called before there are threads; where that is impossible,
    workers are executed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError:
        return
    gc.freeze()     # else a collection in any of the processes would copy the pages of all that they share
    with theirs:
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            return
        if not pid:
            ours.close()
            _serve(theirs, main)
    _templates.append(Template(ours))


def fork(command: Sequence[str], environment: Mapping[str, str], output: int, fds: Sequence[int]
         ) -> ForkedChild | None:
    """Fork a worker in place of this command; None where it has to be executed. `environment` has PYTHONPATH."""
    for template in _templates:
        if installation.replaced():     # an executed one is of the new version, and tells of it
            break
        words = command[command.index(MODULE) + 1:]
        try:
            return ForkedChild(template.fork(words, environment, output, fds))
        except (OSError, ValueError) as error:
            logger.warning("no more workers are forked, they are executed from now on", reason=str(error))
    while _templates:
        _templates.pop().close()
    return None


def _serve(requests: socket.socket, main: Main) -> NoReturn:
    """Be the template: fork a worker for each request, until the supervisor is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())      # an upgrade in place blocks some
    _rename(NAME)
    _arrange([os.open(os.devnull, os.O_RDWR)] * 3 + [requests.detach()], [0, 1, 2, 3])
    requests = socket.socket(fileno=3)
    os.set_inheritable(3, False)
    while True:
        try:
            message, fds, _, _ = socket.recv_fds(requests, LONGEST, MOST)
            if not message:
                os._exit(0)
            rights, *rest = json.loads(message)
            if rights != list(privileges.rights()):
                privileges.adopt(rights)    # before the first worker: from then on there is no way back
            pid = _fork_twice(functools.partial(_become, WorkerProgram(*rest), fds, main))
            for fd in fds:
                os.close(fd)
            requests.send(pid)
        except (OSError, ValueError):
            os._exit(1)


def _fork_twice(run: Callable[[], NoReturn]) -> bytes:
    """Run it in a child of this one's parent; returns the process id in digits, "0" where there is none."""
    reader, writer = os.pipe()
    try:
        child = os.fork()
        if not child:
            try:
                pid = os.fork()
                if not pid:
                    run()
                os.write(writer, b"%d" % pid)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        writer = -1
        return os.read(reader, 20) or b"0"
    except OSError:
        return b"0"
    finally:
        os.close(reader)
        if writer != -1:
            os.close(writer)


def _become(program: WorkerProgram, fds: Sequence[int], main: Main) -> NoReturn:
    """Run a worker in this process, as it would be executed."""
    code = 1
    try:
        words, environment, places, files = program
        resource.setrlimit(resource.RLIMIT_NOFILE, files)     # which the places may need
        _arrange([os.open(os.devnull, os.O_RDONLY), *fds], [0, *places])
        os.environ.clear()
        os.environ.update(environment)
        privileges.give_up()
        _rename(os.path.basename(sys.executable))
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(write_through=True)
        _allocate(environment)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        sys.path[:] = environment["PYTHONPATH"].split(os.pathsep)
        sys.argv[1:] = words
        code = main(words)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _rename(name: str) -> None:
    """Name this process as ps shows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name[:15])


def _arrange(fds: Sequence[int], places: Sequence[int]) -> None:
    """Bring the descriptors to their places, and close all others."""
    first = max(places) + 1
    aside = [fcntl.fcntl(fd, fcntl.F_DUPFD, first) for fd in fds]
    for fd, place in zip(aside, places, strict=True):
        os.dup2(fd, place)
    kept = sorted({*places, MOST_FILES})
    for before, after in itertools.pairwise([-1, *kept]):
        if before + 1 < after:      # else closerange of some versions closes all
            os.closerange(before + 1, after)


def _allocate(environment: Mapping[str, str]) -> None:
    """Have the allocator of C heed the environment, which it reads at an exec only."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)       # only glibc has it
    for name, option in _OPTIONS.items():
        if mallopt is not None and name in environment:
            mallopt(option, int(environment[name]))
