"""The event queue of a simulated run: what happens next, and the simulated clock that moves there."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from lbd.simulation.scenario import Flight
from lbd.simulation.workload import FIRST
from lbd.stats.scoreboard import freeze

Callback = Callable[[float], None]
EndFlight = Callable[[float, Flight, int], None]


class EventQueue:
    """Callbacks and ends of requests in the order of their times; equal times keep the order of their calls.

    `now` is the time of the last event, in seconds of the clock that the scoreboard and the algorithms read.
    """

    def __init__(self, end_flight: EndFlight) -> None:
        self.now = FIRST
        self._end_flight = end_flight
        self._heap: list[tuple[float, int, Flight | None, Any]] = []
        self._sequence = 0

    def advance(self, now: float) -> None:
        """Set the clock, also that of the scoreboard and the algorithms."""
        self.now = now
        freeze(now)

    def call_at(self, when: float, callback: Callback) -> None:
        """Call back with the time when it comes."""
        self._sequence += 1
        heappush(self._heap, (when, self._sequence, None, callback))

    def end_at(self, when: float, flight: Flight, ending: int) -> None:
        """Let the request end then, with an ending of `lbd.stats.endings`."""
        self._sequence += 1
        heappush(self._heap, (when, self._sequence, flight, ending))

    def run_next(self) -> None:
        """Advance the clock to the next event and run it; `IndexError` when there is none."""
        when, _, flight, event = heappop(self._heap)
        self.now = when
        freeze(when)
        if flight is None:
            event(when)
        else:
            self._end_flight(when, flight, event)

    def run_until(self, time: float) -> None:
        """Run all events up to that time."""
        heap = self._heap
        while heap and heap[0][0] <= time:
            self.run_next()

    def remove_flights(self, slot: int) -> list[tuple[int, Flight]]:
        """Take out the ends of all requests at the server with that slot; each with its number, earliest end first."""
        removed = [(when, sequence, flight) for when, sequence, flight, _ in self._heap
                   if flight is not None and flight.server.slot == slot]
        self._heap[:] = [event for event in self._heap if event[2] is None or event[2].server.slot != slot]
        heapify(self._heap)
        return [(sequence, flight) for _, sequence, flight in sorted(removed, key=lambda event: event[:2])]

    def put_back(self, when: float, sequence: int, flight: Flight, ending: int) -> None:
        """Let a request that was taken out end then, with the number that it had."""
        heappush(self._heap, (when, sequence, flight, ending))
