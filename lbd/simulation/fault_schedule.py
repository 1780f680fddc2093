"""The schedule of faults: which of them begin and end with which request, and when health checks notice."""

import math
from collections.abc import Sequence
from functools import partial

from lbd.simulation.dispatcher import Dispatcher
from lbd.simulation.fault import DIES, SLOW, Fault
from lbd.simulation.fleet import SimulatedFleet


class FaultSchedule:
    """The faults of a run of `total` requests, applied to the servers of the dispatcher.

    `next_number` is the number of the request before which the next fault begins or ends.
    """

    def __init__(self, faults: Sequence[Fault], total: int, fleet: SimulatedFleet, dispatcher: Dispatcher) -> None:
        self._changes = planned_changes(faults, total)
        self._fleet = fleet
        self._dispatcher = dispatcher
        self.next_number = self._changes[-1][0] if self._changes else math.inf
        self._slots = {endpoint.name: endpoint.slot for endpoint in fleet.endpoints}

    def apply_due(self, now: float, number: int) -> None:
        """Begin and end the faults that are due before the request with this number."""
        while self._changes and number >= self._changes[-1][0]:
            _, _, fault, begins = self._changes.pop()
            self._apply(now, fault, begins)
        self.next_number = self._changes[-1][0] if self._changes else math.inf

    def _apply(self, now: float, fault: Fault, begins: bool) -> None:
        slot = self._slots[fault.server]
        server = self._dispatcher.servers[slot]
        if fault.kind == SLOW:
            server.slowness = fault.factor if begins else 1.0
            return
        server.refuses, server.hangs = begins and fault.kind == DIES, begins and fault.kind != DIES
        delay = self._fleet.detect if begins else self._fleet.recover
        if delay is not None:
            self._dispatcher.events.call_at(now + delay, partial(self._notice, fault.server))
        if begins:
            lost = self._dispatcher.events.remove_flights(slot)
            server.crash()
            for sequence, flight in lost:
                self._dispatcher.lose(now, sequence, flight, fault.kind == DIES)

    def _notice(self, name: str, now: float) -> None:
        """Bring the health of the server to the workers, as its checks see it by now."""
        slot = self._slots[name]
        health = "up" if self._dispatcher.servers[slot].well else "down"
        for worker in self._dispatcher.workers:
            worker.backend.update(self._fleet.endpoints[slot]._replace(health=health), worker.rows)
            if health == "up":
                worker.servers[name].backoff.clear_failures()
            worker.backend.rebuild()
        self._dispatcher.timer.start(now)
        if self._dispatcher.admission is not None:
            self._dispatcher.admission.drain_queue(now)


def planned_changes(faults: Sequence[Fault], total: int) -> list[tuple[int, int, Fault, bool]]:
    """(number of the request, order, fault, whether it begins) of each begin and end, the next one last."""
    changes = []
    for order, fault in enumerate(faults):
        changes.append((int(fault.begin * total), order, fault, True))
        if fault.end < 1:
            changes.append((int(fault.end * total), order, fault, False))
    return sorted(changes, key=lambda change: change[:2], reverse=True)
