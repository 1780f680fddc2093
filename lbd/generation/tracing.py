"""Tracing: the way of the workers' lines about sampled requests to the exporter, from the first `[tracing]` on."""

import importlib
import os
from collections.abc import Iterable

from lbd import schema
from lbd.access_log.collector import AccessLogCollector
from lbd.access_log.sinks import Sink
from lbd.errors import LbdError
from lbd.workers.messages import TraceTo
from lbd.workers.worker_process import WorkerProcess

SPANS = "lbd.access_log.spans"     # loaded by name: its imports are an extra
INSTALL = "pip install 'lbd[otel]'"


def spans(settings: schema.TracingConfig) -> Sink | None:
    """The sink of lines about requests; None while tracing is off. Raises `LbdError` when the SDK is missing."""
    if not settings.enabled:
        return None
    try:
        sink: Sink = importlib.import_module(SPANS).Spans(settings)
    except ImportError as error:
        raise LbdError(f"tracing.enabled: OpenTelemetry is not installed ({error}): {INSTALL}") from None
    return sink


class Tracing:
    """A pipe from each worker, and a thread that makes spans of its lines, from the first time on that any are wanted.

    A collector that is slow or away holds up that thread alone: then the pipes fill, and workers drop lines.
    """

    def __init__(self) -> None:
        self._log: AccessLogCollector | None = None

    @property
    def lost(self) -> int:
        """Spans that the collector did not take."""
        return self._log.lost if self._log is not None else 0

    def use(self, sink: Sink | None, workers: Iterable[WorkerProcess]) -> None:
        """Send spans to the sink from now on; None: nowhere."""
        if sink is not None and self._log is None:
            self._log = AccessLogCollector("spans")
            for process in workers:
                self.give_pipe(process)
        if self._log is not None:
            self._log.use(sink)

    def give_pipe(self, process: WorkerProcess) -> None:
        """Give a new worker its pipe, if it needs one."""
        if self._log is not None:
            fd = self._log.pipe()
            process.send(TraceTo(), (fd,))
            os.close(fd)

    def close(self, seconds: float) -> None:
        """Send the last lines of the workers, for so long at most, and end."""
        if self._log is not None:
            self._log.close(seconds)
