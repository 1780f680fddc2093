"""The timer of the simulated workers: retries of servers after their back-off, and steps of slow start."""

from collections.abc import Sequence

from lbd.simulation.events import EventQueue
from lbd.simulation.scenario import SimulatedWorker

INTERVAL = 0.1        # seconds, as in a worker


class WorkerTimer:
    """Ticks for all workers while there is a reason to, so that an idle timer costs no events."""

    def __init__(self, workers: Sequence[SimulatedWorker], events: EventQueue) -> None:
        self._workers = workers
        self._events = events
        self._ticking = False

    def start(self, now: float) -> None:
        """Tick from now on, until no server backs off or starts slowly any more."""
        if not self._ticking:
            self._ticking = True
            self._events.call_at(now + INTERVAL, self._tick)

    def _tick(self, now: float) -> None:
        self._ticking = False
        for worker in self._workers:
            doubtful = [server for server in worker.servers.values() if server.backoff.until]
            over = [server for server in doubtful if server.backoff.until < now]
            for server in over:
                server.backoff.until = 0.0
            if over:
                worker.backend.rebuild()
            worker.backend.tick(now)
            if len(doubtful) > len(over) or worker.backend.slow_start.growing:
                self.start(now)
