"""A process that has imported lbd and becomes daemons by fork: imports are most of what a start costs.

A daemon runs what `python -m lbd` runs, in a process that did nothing else than import it.
"""

import contextlib
import os
import socket
from multiprocessing.connection import wait

import watchfiles

from lbd.admin import app, site
from lbd.cli import foreground
from lbd.cli.commands import daemon
from lbd.control import worker
from lbd.discovery import queries
from lbd.stats import scrape
from lbd.tls import certificate
from tests.system.forked_worker import Request, receive, requested

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


def main() -> None:
    """Serve, or run the program in a child of the server."""
    request = requested(fork_daemons)
    if request:
        request[0].enter()
        program, fds = request
        program.run(fds)


if __name__ == "__main__":
    main()
