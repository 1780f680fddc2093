"""The figures of a simulated run: durations, failures, and the shares of the servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from lbd.simulation.engine import Engine

WINDOWS = 60        # of a run, for the figures over time
FEWEST = 10         # answers in a window, fewer say nothing


@dataclass(frozen=True, slots=True)
class AlgorithmFigures:
    """`mean` and percentiles are seconds, over the requests that were answered; None when none was.

    `shares`: of the requests, by server; `busy`: the part of its capacity that a server used, None without slots.
    `over_time` is (seconds from the beginning, p99 in seconds of the requests sent around then).
    """

    algorithm: str
    requests: int
    failed: int
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    duration: float
    shares: Mapping[str, float]
    busy: Mapping[str, float] | None
    over_time: Sequence[tuple[float, float]]

    @property
    def busiest(self) -> str:
        """The server with the most requests."""
        return max(self.shares, key=lambda name: self.shares[name])

    @property
    def idlest(self) -> str:
        """The server with the fewest requests."""
        return min(self.shares, key=lambda name: self.shares[name])


def measure(algorithm: str, engine: Engine) -> AlgorithmFigures:
    """The figures of a finished run."""
    taken = sorted(engine.results.taken)
    counts = {name: engine.servers[slot].taken for name, slot in engine.slots.items()}
    total = sum(counts.values())
    slots, duration = engine.scenario.fleet.slots, engine.duration
    busy = {name: min(engine.servers[slot].busy / (slots * duration), 1.0) for name, slot in engine.slots.items()} \
        if slots and duration else None
    return AlgorithmFigures(
        algorithm, len(engine.scenario.workload), engine.results.failed, fmean(taken) if taken else None,
        percentile(taken, 0.50), percentile(taken, 0.95), percentile(taken, 0.99), duration,
        {name: count / total if total else 0.0 for name, count in counts.items()}, busy,
        over_time(engine.results.sent, engine.results.taken))


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that at least `share` of the values do not exceed (nearest rank); None of nothing."""
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def over_time(sent: Sequence[float], taken: Sequence[float]) -> list[tuple[float, float]]:
    """p99 in windows of equal length, by when the requests were sent."""
    last = max(sent, default=0.0)
    if not last:
        return []
    windows: list[list[float]] = [[] for _ in range(WINDOWS + 1)]
    scale = WINDOWS / last
    for when, seconds in zip(sent, taken, strict=True):
        windows[int(when * scale)].append(seconds)
    windows[-2] += windows.pop()        # the last one of all
    found = []
    for place, window in enumerate(windows):
        value = percentile(sorted(window), 0.99)
        if value is not None and len(window) >= FEWEST:
            found.append(((place + 0.5) * last / WINDOWS, value))
    return found
