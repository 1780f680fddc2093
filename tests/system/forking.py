"""A process that has imported lbd and becomes daemons by fork: imports are most of what a start costs.

A daemon runs what `python -m lbd` runs, in a process that did nothing else than import it. Its workers are forked by a
template, a child of the daemon that is as bare as that.
"""

import contextlib
import fcntl
import functools
import os
import socket
import subprocess
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace

import watchfiles

from lbd.admin import app, site
from lbd.cli import foreground
from lbd.cli.commands import daemon
from lbd.control import worker
from lbd.discovery import queries
from lbd.stats import scrape
from lbd.tls import certificate
from lbd.workers import child_process
from tests.system.forked_worker import ASIDE, TEMPLATE, Request, fork_workers, receive, requested, start_child

# All that serves, with what is imported late.
IMPORTED = daemon, foreground, worker, app, site, queries, scrape, certificate, watchfiles


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
    request = requested(fork_daemons)
    if request:
        request[0].enter()
        program, fds = template() or request
        program.run(fds)


if __name__ == "__main__":
    main()
