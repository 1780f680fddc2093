"""A process that has imported a worker and becomes workers by fork, for the planes of tests."""

import contextlib
import functools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from lbd.control import worker
from tests.system.forked_worker import ROOT, fork_workers, requested, start_child

IMPORTED = worker


@contextlib.contextmanager
def worker_template() -> Iterator[Any]:
    """Start the template; yields what stands for the module `subprocess` where workers are started."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno())]
    with ours:
        with theirs:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=ROOT,
                                       env={**os.environ, "PYTHONPATH": str(ROOT)})
        yield SimpleNamespace(DEVNULL=subprocess.DEVNULL, Popen=functools.partial(start_child, ours.fileno()))
        ours.close()
        process.wait()


def main() -> None:
    """Fork, or be a worker."""
    request = requested(fork_workers)
    if request:
        program, fds = request
        program.run(fds)


if __name__ == "__main__":
    main()
