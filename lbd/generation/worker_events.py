"""The events of workers that the fleet reports: each gets its pipes, and its failed connects start checks."""

import os
from collections.abc import Callable

from lbd.access_log.collector import AccessLogCollector
from lbd.generation.server_states import ServerStates
from lbd.generation.tracing import Tracing
from lbd.workers.fleet import FleetCallbacks
from lbd.workers.messages import LogTo
from lbd.workers.worker_process import WorkerProcess


class WorkerEvents:
    """Answers the callbacks of a `Fleet`. `on_version_mismatch` is called when a worker is of another version."""

    def __init__(self, write_log_line: Callable[[str], None], servers: ServerStates, access_log: AccessLogCollector,
                 tracing: Tracing) -> None:
        self.on_version_mismatch: Callable[[], None] = lambda: None
        self._write_log_line = write_log_line
        self._servers = servers
        self._access_log = access_log
        self._tracing = tracing

    def callbacks(self) -> FleetCallbacks:
        """The callbacks that lead here."""
        return FleetCallbacks(
            write_log_line=self._write_log_line, on_worker_hello=self._on_worker_hello,
            on_version_mismatch=lambda: self.on_version_mismatch(), on_connect_failure=self._servers.suspect,
            changes_since=self._servers.endpoints.changes_since)

    def _on_worker_hello(self, process: WorkerProcess) -> None:
        """Give a new worker a pipe for its lines of access log, and one for its spans."""
        fd = self._access_log.pipe()
        process.send(LogTo(), (fd,))
        os.close(fd)
        self._tracing.give_pipe(process)
