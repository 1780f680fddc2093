"""The outputs of access log and traces: parts of the generation that say where the workers' lines go."""

from lbd.access_log.collector import AccessLogCollector
from lbd.access_log.sinks import Sink, sink
from lbd.generation.tracing import Tracing, spans
from lbd.net.offload import Offload
from lbd.schema import Config
from lbd.workers.fleet import Fleet


class AccessLogOutput:
    """The file, socket or stream of `[log] access`. Opened off the loop: its disk may not answer."""

    def __init__(self, access_log: AccessLogCollector) -> None:
        self._access_log = access_log
        self._opening = Offload("opening the access log")
        self._changed = False
        self._staged: Sink | None = None

    async def stage(self, old: Config, new: Config) -> None:
        """Open the new output, if it is another."""
        self._changed = old.log.access != new.log.access
        self._staged = await self._opening.run(sink, new.log.access) if self._changed else None

    async def commit(self) -> None:
        """Write there from now on."""
        if self._changed:
            self._access_log.use(self._staged)

    async def rollback(self) -> None:
        """Close the new output."""
        if self._staged is not None:
            self._staged.close()


class TracingOutput:
    """The exporter of `[tracing]`."""

    def __init__(self, tracing: Tracing, fleet: Fleet) -> None:
        self._tracing = tracing
        self._fleet = fleet
        self._changed = False
        self._staged: Sink | None = None

    async def stage(self, old: Config, new: Config) -> None:
        """Set up the new exporter, if it is another."""
        self._changed = old.tracing != new.tracing
        self._staged = spans(new.tracing) if self._changed else None

    async def commit(self) -> None:
        """Export there from now on."""
        if self._changed:
            self._tracing.use(self._staged, self._fleet.processes())

    async def rollback(self) -> None:
        """Close the new exporter."""
        if self._staged is not None:
            self._staged.close()
