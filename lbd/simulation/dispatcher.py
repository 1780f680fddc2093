"""The dispatcher: the way of one request through a worker, from the choice of its server to its end."""

import math
from array import array
from collections.abc import Sequence

from lbd import schema
from lbd.backend.server import Server
from lbd.simulation.admission import SimulatedAdmission
from lbd.simulation.events import Callback, EventQueue
from lbd.simulation.scenario import Flight, SimulatedWorker
from lbd.simulation.server import SimulatedServer
from lbd.simulation.worker_timer import WorkerTimer
from lbd.simulation.workload import FIRST, SimulatedRequest
from lbd.stats import endings
from lbd.stats.scoreboard import Board

PAUSE = 0.001         # seconds until the client of a closed loop sends its next request after a failed one


class Results:
    """The results of a run: of each answered request `sent`, its time in seconds from the beginning, and `taken`, its
    duration in seconds. `failed` is the number of requests without an answer."""

    def __init__(self) -> None:
        self.sent = array("d")
        self.taken = array("d")
        self.failed = 0

    @property
    def ended(self) -> int:
        """The number of requests that are over."""
        return len(self.taken) + self.failed


class Dispatcher:
    """Sends requests to the simulated servers by the rules that the workers follow: stickiness, limits, retries.

    `send_next` is set in a closed loop and sends the next request of the client whose request has ended.
    """

    def __init__(self, board: Board, settings: schema.BackendConfig, workers: Sequence[SimulatedWorker],
                 servers: Sequence[SimulatedServer]) -> None:
        self.workers = workers
        self.servers = servers                # by slot
        self.events = EventQueue(self.finish)
        self.timer = WorkerTimer(workers, self.events)
        self.results = Results()
        self.in_flight = 0
        self.homes: dict[int, str] = {}       # the cookie of each client: the name of its server
        self.send_next: Callback | None = None
        self._timeout = settings.timeouts.server
        self._retries = settings.retries
        self._sticky = settings.stickiness is not None
        self.admission = SimulatedAdmission(board, settings, self.choose, self.dispatch, self.fail,
                                            self.events.call_at) if workers[0].backend.bounded else None

    def send(self, now: float, request: SimulatedRequest) -> None:
        """Begin a request."""
        worker = self.workers[request.worker]
        flight = worker.spare.pop() if worker.spare else Flight(worker)
        flight.request = request
        flight.started = now
        flight.record.begin(worker.route, worker.row)
        self.in_flight += 1
        if self.admission is not None:
            self.admission.admit(now, flight, self.in_flight)
            return
        server = self.choose(flight) if self._sticky else worker.backend.pick(request)
        if server is None:
            self.fail(now, flight, 503, endings.NO_SERVER)
        else:
            self.dispatch(now, flight, server)

    def choose(self, flight: Flight) -> Server | None:
        """The server of the client's cookie while it keeps its clients, else the algorithm's choice."""
        worker, request = flight.worker, flight.request
        if self._sticky:
            server = worker.servers.get(self.homes.get(request.client, ""))
            if server is not None and server.keeps_clients():
                return server
        return worker.backend.pick(request)

    def dispatch(self, now: float, flight: Flight, server: Server) -> None:
        """Send the request to the server; one that refuses connections backs off, and the request is retried."""
        flight.server = server
        flight.record.took(server.row)
        worker = flight.worker
        if worker.backend.took is not None:
            worker.backend.took(server)
        if self._sticky:
            self.homes[flight.request.client] = server.name
        simulated = self.servers[server.slot]
        if simulated.refuses:
            server.backoff.mark_failed(now)
            worker.backend.rebuild()
            self.timer.start(now)
            self.retry(now, flight, endings.CONNECT_REFUSED)
            return
        if server.backoff.until:
            server.backoff.clear_failures()
            worker.backend.rebuild()
        simulated.taken += 1
        end = math.inf if simulated.hangs else simulated.serve(now, flight.request.effort)
        if end > now + self._timeout:
            self.events.end_at(now + self._timeout, flight, endings.SERVER_TIMEOUT)
        else:
            self.events.end_at(end, flight, endings.OK)

    def retry(self, now: float, flight: Flight, ending: int) -> None:
        """Send a request whose server has not begun to answer to another one, or fail it after `retries`."""
        flight.record.dropped(True)
        self._release(flight)
        flight.tried.append(flight.server)
        other = flight.worker.backend.pick_other(flight.tried) if len(flight.tried) <= self._retries else None
        if other is None:
            self.fail(now, flight, 502, ending)
        elif self.admission is not None and not self.admission.has_room(other):
            self.admission.enqueue(now, flight, first=True)
        else:
            self.dispatch(now, flight, other)

    def lose(self, now: float, sequence: int, flight: Flight, closed: bool) -> None:
        """End a request whose server is gone: `closed` connections fail at once, others at the timeout."""
        if not closed:
            self.events.put_back(flight.started + self._timeout, sequence, flight, endings.SERVER_TIMEOUT)
        elif flight.request.idempotent and not flight.tried:
            self.retry(now, flight, endings.SERVER_CLOSED)
        else:
            self._release(flight)
            self.fail(now, flight, 502, endings.SERVER_CLOSED)

    def finish(self, now: float, flight: Flight, ending: int) -> None:
        """End a request with its answer, or at the timeout of its server."""
        if ending != endings.OK:
            self._release(flight)
            self.fail(now, flight, 504, ending)
            return
        record = flight.record
        record.head(200)
        record.finish(ending, 0, 0)
        self._release(flight)
        self.results.sent.append(flight.started - FIRST)
        self.results.taken.append(now - flight.started)
        self._recycle(now, flight)
        if self.send_next is not None:
            self.send_next(now)

    def fail(self, now: float, flight: Flight, status: int, ending: int) -> None:
        """End a request without an answer of a server."""
        flight.record.status = status
        flight.record.finish(ending, 0, 0)
        self.results.failed += 1
        self._recycle(now, flight)
        if self.send_next is not None:
            self.events.call_at(now + PAUSE, self.send_next)

    def _release(self, flight: Flight) -> None:
        dropped = flight.worker.backend.dropped
        if dropped is not None:
            dropped(flight.server)

    def _recycle(self, now: float, flight: Flight) -> None:
        self.in_flight -= 1
        if flight.tried:
            flight.tried = []
        flight.worker.spare.append(flight)
        if self.admission is not None:
            self.admission.drain_queue(now)
