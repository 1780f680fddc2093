"""The engine: one algorithm against the model of a fleet, event by event, on a clock of its own.

Everything that decides is what the workers run: backends, pools, algorithms and the scoreboard. Only the servers, the
clients and the time are models.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any

from lbd import schema
from lbd.backend.server import Server
from lbd.simulation.admission import SimulatedAdmission
from lbd.simulation.fault import DIES, SLOW, Fault
from lbd.simulation.scenario import Flight, Scenario, SimulatedWorker
from lbd.simulation.server import SimulatedServer
from lbd.simulation.workload import FIRST, SimulatedRequest
from lbd.stats import endings
from lbd.stats.scoreboard import Board, freeze

TICK = 0.1            # seconds between two looks for servers whose doubt is over, as in a worker
PAUSE = 0.001         # seconds until a client whose request failed sends its next
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))      # RFC 9110 9.2.2
STEP = 2048           # requests from one report of progress to the next


class Engine:
    """One run. Of each request that was answered, `sent` says when it was sent and `taken` how long it took.

    Both are seconds, the former from the beginning of the run. `failed` is the number of those without an answer.
    """

    def __init__(self, scene: Scenario, algorithm: schema.AlgorithmConfig) -> None:
        fleet = scene.fleet
        self.scene = scene
        self.board = Board.create(scene.workers)
        settings = replace(fleet.settings, algorithm=algorithm)
        self.workers = [SimulatedWorker(self.board, lane, scene, settings) for lane in range(scene.workers)]
        self.machines = [SimulatedServer(fleet.seconds[endpoint.name], fleet.slots) for endpoint in fleet.endpoints]
        self.slots = {endpoint.name: endpoint.slot for endpoint in fleet.endpoints}
        self.timeout = settings.timeouts.server
        self.retries = settings.retries
        self.sticky = settings.stickiness is not None
        bounded = self.workers[0].backend.bounded
        self.gate = SimulatedAdmission(
            self.board, settings, self._choice, self._take, self._fail, self._at) if bounded else None
        self.homes: dict[int, str] = {}       # the cookie of each client, as the name of its server
        self.sent = array("d")
        self.taken = array("d")
        self.failed = 0
        self.now = FIRST
        self._events: list[tuple[float, int, Flight | None, Any]] = []
        self._sequence = 0
        self._in_flight = 0
        self._ticking = False
        self._coming = iter(scene.workload)
        self._changes = self._plan(scene.faults, len(scene.workload))

    @property
    def duration(self) -> float:
        """Seconds from the beginning to the last answer."""
        return self.now - FIRST

    def run(self, progress: Callable[[int], None]) -> None:
        """Send all requests and wait for their ends; `progress` gets how many began since its last call."""
        freeze(FIRST)
        try:
            if self.scene.concurrency:
                self._closed(progress)
            else:
                self._open(progress)
        finally:
            freeze(None)

    def _open(self, progress: Callable[[int], None]) -> None:
        events, step = self._events, STEP
        for asked in self._coming:
            at = FIRST + asked.at
            while events and events[0][0] <= at:
                self._event()
            self._send(at, asked)
            step -= 1
            if not step:
                step = STEP
                progress(STEP)
        progress(STEP - step)
        while self._in_flight:
            self._event()

    def _closed(self, progress: Callable[[int], None]) -> None:
        total, known = len(self.scene.workload), 0
        for _ in range(min(self.scene.concurrency, total)):
            self._send(FIRST, next(self._coming))
        while (done := len(self.taken) + self.failed) < total:
            if done - known >= STEP:
                progress(done - known)
                known = done
            self._event()
        progress(total - known)

    def _event(self) -> None:
        when, _, flight, what = heappop(self._events)
        self.now = when
        freeze(when)
        if flight is None:
            what(when)
        else:
            self._end(when, flight, what)

    def _at(self, when: float, what: Callable[[float], None]) -> None:
        self._sequence += 1
        heappush(self._events, (when, self._sequence, None, what))

    def _send(self, now: float, asked: SimulatedRequest) -> None:
        freeze(now)
        self.now = now
        if self._changes and asked.number >= self._changes[-1][0]:
            self._change(now, asked.number)
        worker = self.workers[asked.worker]
        flight = worker.spare.pop() if worker.spare else Flight(worker)
        flight.asked = asked
        flight.started = now
        flight.record.begin(worker.route, worker.row)
        self._in_flight += 1
        if self.gate is not None:
            self.gate.admit(now, flight, self._in_flight)
            return
        server = self._choice(flight) if self.sticky else worker.backend.pick(asked)
        if server is None:
            self._fail(now, flight, 503, endings.NO_SERVER)
        else:
            self._take(now, flight, server)

    def _choice(self, flight: Flight) -> Server | None:
        """The server that the client has a cookie of, if it may go on with it; else the algorithm's choice."""
        worker, asked = flight.worker, flight.asked
        if self.sticky:
            server = worker.servers.get(self.homes.get(asked.client, ""))
            if server is not None and server.keeps_clients:
                return server
        return worker.backend.pick(asked)

    def _take(self, now: float, flight: Flight, server: Server) -> None:
        flight.server = server
        flight.record.took(server.row)
        worker = flight.worker
        if worker.backend.took is not None:
            worker.backend.took(server)
        if self.sticky:
            self.homes[flight.asked.client] = server.name
        machine = self.machines[server.slot]
        if machine.refuses:
            server.backoff.mark_failed(now)
            worker.backend.rebuild()
            self._tick_soon(now)
            self._repeat(now, flight, endings.CONNECT_REFUSED)
            return
        if server.backoff.until:
            server.backoff.clear_failures()
            worker.backend.rebuild()
        machine.taken += 1
        end = math.inf if machine.hangs else machine.serve(now, flight.asked.effort)
        self._sequence += 1
        if end > now + self.timeout:
            heappush(self._events, (now + self.timeout, self._sequence, flight, endings.SERVER_TIMEOUT))
        else:
            heappush(self._events, (end, self._sequence, flight, endings.OK))

    def _repeat(self, now: float, flight: Flight, ending: int) -> None:
        """The server did not begin to answer: another one, if the settings allow it."""
        flight.record.dropped(True)
        self._release(flight)
        flight.tried.append(flight.server)
        other = flight.worker.backend.pick_other(flight.tried) if len(flight.tried) <= self.retries else None
        if other is None:
            self._fail(now, flight, 502, ending)
        elif self.gate is not None and not self.gate.room(other):
            self.gate.hold(now, flight, first=True)
        else:
            self._take(now, flight, other)

    def _end(self, now: float, flight: Flight, ending: int) -> None:
        if ending != endings.OK:
            self._release(flight)
            self._fail(now, flight, 504, ending)
            return
        record = flight.record
        record.head(200)
        record.finish(ending, 0, 0)
        self._release(flight)
        self.sent.append(flight.started - FIRST)
        self.taken.append(now - flight.started)
        self._free(flight)
        if self.gate is not None:
            self.gate.pump(now)
        if self.scene.concurrency:
            self._next(now)

    def _fail(self, now: float, flight: Flight, status: int, ending: int) -> None:
        flight.record.status = status
        flight.record.finish(ending, 0, 0)
        self.failed += 1
        self._free(flight)
        if self.gate is not None:
            self.gate.pump(now)
        if self.scene.concurrency:
            self._at(now + PAUSE, self._next)

    def _release(self, flight: Flight) -> None:
        dropped = flight.worker.backend.dropped
        if dropped is not None:
            dropped(flight.server)

    def _free(self, flight: Flight) -> None:
        self._in_flight -= 1
        if flight.tried:
            flight.tried = []
        flight.worker.spare.append(flight)

    def _next(self, now: float) -> None:
        asked = next(self._coming, None)
        if asked is not None:
            self._send(now, asked)

    def _tick_soon(self, now: float) -> None:
        if not self._ticking:
            self._ticking = True
            self._at(now + TICK, self._tick)

    def _tick(self, now: float) -> None:
        """Servers whose doubt is over are tried again; those that start slowly get more."""
        self._ticking = False
        for worker in self.workers:
            doubtful = [server for server in worker.servers.values() if server.backoff.until]
            over = [server for server in doubtful if server.backoff.until < now]
            for server in over:
                server.backoff.until = 0.0
            if over:
                worker.backend.rebuild()
            worker.backend.tick(now)
            if len(doubtful) > len(over) or worker.backend.slow_start.growing:
                self._tick_soon(now)

    def _plan(self, faults: Sequence[Fault], total: int) -> list[tuple[int, int, Fault, bool]]:
        """(number of the request, order, fault, whether it begins), the next one last."""
        changes = []
        for order, fault in enumerate(faults):
            changes.append((int(fault.begin * total), order, fault, True))
            if fault.end < 1:
                changes.append((int(fault.end * total), order, fault, False))
        return sorted(changes, key=lambda change: change[:2], reverse=True)

    def _change(self, now: float, number: int) -> None:
        while self._changes and number >= self._changes[-1][0]:
            _, _, fault, begins = self._changes.pop()
            machine = self.machines[self.slots[fault.server]]
            if fault.kind == SLOW:
                machine.slowness = fault.factor if begins else 1.0
                continue
            machine.refuses, machine.hangs = begins and fault.kind == DIES, begins and fault.kind != DIES
            noticed = self.scene.fleet.detect if begins else self.scene.fleet.recover
            if noticed is not None:
                self._at(now + noticed, partial(self._notice, fault.server))
            if begins:
                self._lose(now, fault)

    def _notice(self, name: str, now: float) -> None:
        """The checks have found out how the server is."""
        slot = self.slots[name]
        health = "up" if self.machines[slot].well else "down"
        for worker in self.workers:
            worker.backend.update(self.scene.fleet.endpoints[slot]._replace(health=health), worker.rows)
            if health == "up":
                worker.servers[name].backoff.clear_failures()
            worker.backend.rebuild()
        self._tick_soon(now)
        if self.gate is not None:
            self.gate.pump(now)

    def _lose(self, now: float, fault: Fault) -> None:
        """What the server had in hand: lost with a server that dies, unanswered by one that hangs."""
        slot = self.slots[fault.server]
        lost = [event for event in self._events if event[2] is not None and event[2].server.slot == slot]
        self._events[:] = [event for event in self._events if event[2] is None or event[2].server.slot != slot]
        heapify(self._events)
        self.machines[slot].crash()
        for _, sequence, flight, _ in sorted(lost, key=lambda event: event[:2]):
            assert flight is not None
            if fault.kind != DIES:
                heappush(self._events, (flight.started + self.timeout, sequence, flight, endings.SERVER_TIMEOUT))
            elif flight.asked.method in IDEMPOTENT and not flight.tried:
                self._repeat(now, flight, endings.SERVER_CLOSED)
            else:
                self._release(flight)
                self._fail(now, flight, 502, endings.SERVER_CLOSED)
