"""A process that has imported a worker and becomes workers by fork, for the planes of tests."""

import contextlib
import functools
import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import lbd.control.worker
from lbd.workers import child_process
from lbd.workers.worker_process import ALLOCATOR
from tests.system.fork_server import POSSIBLE, ROOT, ForkedWorker, fork_workers


@contextlib.contextmanager
def worker_template() -> Iterator[None]:
    """Fork the workers that this process starts; where that is not possible they are executed."""
    if not POSSIBLE:
        yield
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno())]
    with ours, pytest.MonkeyPatch.context() as patch:
        with theirs:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=ROOT,
                                       env={**os.environ, **ALLOCATOR, "PYTHONPATH": str(ROOT)})
        patch.setattr(child_process, "subprocess", SimpleNamespace(
            DEVNULL=subprocess.DEVNULL, Popen=functools.partial(ForkedWorker, ours.fileno())))
        yield
        ours.close()
        process.wait()


def main() -> None:
    """Fork, or be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    del sys.modules[lbd.control.worker.__name__]        # it runs as __main__
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        request = fork_workers(requests)
    if request:
        program, fds = request
        program.run(fds)


if __name__ == "__main__":
    main()
