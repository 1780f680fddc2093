"""The trend: samples of each server, backend and listener from the last two minutes, and the age of its state."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lbd.generation.control_plane import ControlPlane
from lbd.stats import fields, scoreboard

STEP = 2.0      # seconds between two samples
KEPT = 60       # samples
RECENT = 5      # samples that a rate of now is the mean of

_NONE = fields.CODES.index("none")
_5XX = fields.CODES.index("5xx")

SeriesKey = tuple[int, Any]      # kind of row, owner


@dataclass(slots=True)
class TrendSeries:
    """The last samples of an owner: requests and 5xx per second, mean seconds to the head (None without answers)."""

    rates: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    errors: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    latencies: deque[float | None] = field(default_factory=lambda: deque(maxlen=KEPT))
    state: tuple[str, str] = ("", "")
    since: float = 0.0              # when the state was first seen, of the monotonic clock
    seen: tuple[float, ...] = ()    # requests, 5xx, answers, and seconds to their heads, as last counted

    @property
    def rate(self) -> float:
        """Requests per second, now."""
        return mean(self.rates)

    @property
    def error_rate(self) -> float:
        """5xx answers per second, now."""
        return mean(self.errors)

    def add_sample(self, counted: tuple[float, ...], seconds: float) -> None:
        """Add a sample of the counters; a row that was given to another owner starts again."""
        before, self.seen = self.seen, counted
        if not before or counted[0] < before[0]:
            return
        requests, errors, answers, busy = (now - then for now, then in zip(counted, before, strict=True))
        self.rates.append(requests / seconds)
        self.errors.append(errors / seconds)
        self.latencies.append(busy / answers if answers else None)


class Trend:
    """The series of all owners. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._series: dict[SeriesKey, TrendSeries] = {}
        self._sampled = 0.0

    def series_of(self, kind: int, owner: Any) -> TrendSeries:
        """The series of a listener or backend by its name, of a server by backend, name and address; an empty one
        before its first sample."""
        return self._series.get((kind, owner)) or TrendSeries()

    def sample(self, plane: ControlPlane) -> None:
        """Note the states, and every `STEP` the figures; call it every second. Owners that are gone are forgotten."""
        if plane.in_force.generation is None:
            return
        now = self._clock()
        seconds = now - self._sampled
        due = seconds >= STEP - 0.5     # calls come a second and a bit apart
        all_series: dict[SeriesKey, TrendSeries] = {}
        for identity, state, slots in _owners(plane):
            series = all_series[identity] = self._series.get(identity) or TrendSeries()
            if series.state != state:
                series.state, series.since = state, now
            if due:
                series.add_sample(_counted(plane, identity[0], slots), seconds)
        self._series = all_series
        if due:
            self._sampled = now


def _owners(plane: ControlPlane) -> Iterator[tuple[SeriesKey, tuple[str, str], list[int]]]:
    """Every owner of a series: identity, state, and the rows that count for it (of a server, else of routes)."""
    generation = plane.in_force.generation
    assert generation is not None
    for group in plane.servers.endpoints.by_backend(generation.config).values():
        for endpoint in group:
            yield (scoreboard.SERVER, endpoint.identity), (endpoint.health, endpoint.mode), [endpoint.slot]
    for backend in generation.backends:
        slots = [slot for (_, other), slot in generation.routes.items() if other == backend]
        yield (scoreboard.BACKEND, backend), ("", ""), slots
    for listener in generation.listeners:
        slots = [slot for (other, _), slot in generation.routes.items() if other == listener]
        yield (scoreboard.LISTENER, listener), ("", ""), slots


def _counted(plane: ControlPlane, kind: int, slots: list[int]) -> tuple[float, ...]:
    if kind == scoreboard.SERVER:
        totals = plane.board.totals(scoreboard.SERVER, slots[0])
        codes = totals[fields.SERVER_REQUESTS:fields.SERVER_REQUESTS + len(fields.CODES)]
        requests = sum(codes)
        return requests, codes[_5XX], requests - codes[_NONE], totals[fields.SERVER_HEAD_SECONDS]
    codes = route_codes(plane, slots)
    return sum(codes), codes[_5XX], 0.0, 0.0


def route_codes(plane: ControlPlane, slots: list[int]) -> list[float]:
    """Requests of these routes by class of their answer, in the order of `fields.CODES`."""
    first = fields.ROUTE_REQUESTS
    rows = [plane.board.totals(scoreboard.ROUTE, slot)[first:first + len(fields.CODES)] for slot in slots]
    return [sum(column) for column in zip(*rows, strict=True)] or [0.0] * len(fields.CODES)


def mean(samples: deque[float]) -> float:
    """The mean of the last `RECENT` samples; 0.0 without any."""
    last = list(samples)[-RECENT:]
    return sum(last) / len(last) if last else 0.0
