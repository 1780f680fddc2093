"""The engine: one algorithm against the model of a fleet, event by event, on a simulated clock.

Backends, pools, algorithms and the scoreboard are those that the workers run. Only the servers, the clients and the
clock are models.
"""

from collections.abc import Callable
from dataclasses import replace

from lbd import schema
from lbd.simulation.dispatcher import Dispatcher
from lbd.simulation.fault_schedule import FaultSchedule
from lbd.simulation.scenario import Scenario, SimulatedWorker
from lbd.simulation.server import SimulatedServer
from lbd.simulation.workload import FIRST, SimulatedRequest
from lbd.stats.scoreboard import Board, freeze

STEP = 2048           # requests between two reports of progress


class Engine:
    """A run of a scenario with one algorithm."""

    def __init__(self, scenario: Scenario, algorithm: schema.AlgorithmConfig) -> None:
        fleet = scenario.fleet
        self.scenario = scenario
        self.board = Board.create(scenario.workers)
        settings = replace(fleet.settings, algorithm=algorithm)
        self.workers = [SimulatedWorker(self.board, lane, scenario, settings) for lane in range(scenario.workers)]
        self.servers = [SimulatedServer(fleet.seconds[endpoint.name], fleet.slots) for endpoint in fleet.endpoints]
        self.slots = {endpoint.name: endpoint.slot for endpoint in fleet.endpoints}
        self.dispatcher = Dispatcher(self.board, settings, self.workers, self.servers)
        self.results = self.dispatcher.results
        self._events = self.dispatcher.events
        self._faults = FaultSchedule(scenario.faults, len(scenario.workload), fleet, self.dispatcher)
        self._requests = iter(scenario.workload)

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the last answer."""
        return self._events.now - FIRST

    def run(self, progress: Callable[[int], None]) -> None:
        """Send all requests and wait for their ends; `progress` gets the number of requests since its last call."""
        freeze(FIRST)
        try:
            if self.scenario.concurrency:
                self._run_closed_loop(progress)
            else:
                self._run_open_loop(progress)
        finally:
            freeze(None)

    def _run_open_loop(self, progress: Callable[[int], None]) -> None:
        step = STEP
        for request in self._requests:
            time = FIRST + request.at
            self._events.run_until(time)
            self._send(time, request)
            step -= 1
            if not step:
                step = STEP
                progress(STEP)
        progress(STEP - step)
        while self.dispatcher.in_flight:
            self._events.run_next()

    def _run_closed_loop(self, progress: Callable[[int], None]) -> None:
        total, reported = len(self.scenario.workload), 0
        self.dispatcher.send_next = self._send_next
        for _ in range(min(self.scenario.concurrency, total)):
            self._send(FIRST, next(self._requests))
        while (ended := self.results.ended) < total:
            if ended - reported >= STEP:
                progress(ended - reported)
                reported = ended
            self._events.run_next()
        progress(total - reported)

    def _send(self, now: float, request: SimulatedRequest) -> None:
        self._events.advance(now)
        if request.number >= self._faults.next_number:
            self._faults.apply_due(now, request.number)
        self.dispatcher.send(now, request)

    def _send_next(self, now: float) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._send(now, request)
