"""A recorded load: the requests of an access log in JSON lines, to be played again before any algorithm."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from lbd.errors import LbdError, UsageError
from lbd.schema import units as u
from lbd.simulation.workload import SimulatedRequest, WorkloadShape, make_request, popular, source
from lbd.wording import listed, shown

LONGEST_LINE = 65_536      # characters; longer ones are skipped

# The names of facts in a line, lbd's own first; of a duration also the seconds of its unit.
TIMES = ("time", "timestamp", "ts")
TOTALS = (("total", 1.0), ("total_seconds", 1.0), ("total_ms", 0.001), ("request_time", 1.0), ("duration", 1.0))
CLIENTS = ("client", "source", "remote_addr", "remote_ip")
TARGETS = ("target", "uri", "path")


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A line of the log: `time` in seconds since 1970 (None: missing); missing texts are "".

    `total` are the seconds that the request took, without those in the queue before a server was chosen.
    """

    time: float | None
    total: float
    server: str
    client: str
    target: str
    method: str


@dataclass(frozen=True, slots=True)
class Recording:
    """The usable lines in the order of their times, and how many could not be used."""

    entries: Sequence[RecordedRequest]
    skipped: int

    @property
    def means(self) -> dict[str, float]:
        """Mean seconds of each server that is named."""
        totals: dict[str, list[float]] = defaultdict(list)
        for entry in self.entries:
            if entry.server:
                totals[entry.server].append(entry.total)
        return {name: sum(found) / len(found) for name, found in sorted(totals.items())}


def read_recording(path: str, backend: str | None, most: int) -> Recording:
    """Read at most so many requests, of that backend alone if it is given; raises `LbdError` when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return collect(lines, backend, most)
    except OSError as error:
        raise LbdError(f"--log: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise LbdError(f"--log: {path}: {error}") from None


def collect(lines: Iterable[str], backend: str | None, most: int) -> Recording:
    """The requests in the lines that went to a backend; raises `ValueError` when there is none, or of several ones."""
    entries: list[RecordedRequest] = []
    backends = set()
    skipped = others = 0
    for line in lines:
        if len(entries) == most:
            break
        facts = _facts(line)
        named = facts.get("backend")
        if isinstance(named, str) and backend is not None and named != backend:
            others += 1
            continue
        entry = _entry(facts)
        if entry is None:
            skipped += bool(line.strip())
            continue
        backends.add(named if isinstance(named, str) else "")
        entries.append(entry)
    if not entries:
        of = f" of the backend {shown(backend)}" if others else ""
        raise ValueError(f"no line{of} is a JSON object with the seconds that a request took in {shown('total')}")
    if len(backends) > 1:
        raise ValueError(f"it has requests of {listed(sorted(map(shown, backends)), 'and')}: choose with --backend")
    if all(entry.time is not None for entry in entries):
        entries.sort(key=lambda entry: entry.time or 0.0)
    return Recording(entries, skipped)


def _facts(line: str) -> Mapping[str, Any]:
    if len(line) > LONGEST_LINE:
        return {}
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(facts, dict):
        return {}
    timers = facts.get("timers")
    return facts | timers if isinstance(timers, dict) else facts


def _entry(facts: Mapping[str, Any]) -> RecordedRequest | None:
    total = next((value * unit for name, unit in TOTALS if (value := _number(facts.get(name))) is not None), None)
    if total is None or not 0 <= total < 86_400 or facts.get("backend", "") is None:
        return None
    total = max(total - (_number(facts.get("queue")) or 0.0), 0.0)
    time = next((_time(facts[name]) for name in TIMES if name in facts), None)
    return RecordedRequest(time, total, _name(facts.get("server")), _text(facts, CLIENTS), _text(facts, TARGETS),
                           _text(facts, ("method",)))


def _text(facts: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((value for name in names if isinstance(value := facts.get(name), str)), "")


def _name(value: Any) -> str:
    try:
        return str(u.NAME.parse(value))
    except ValueError:
        return ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e18 and math.isfinite(value) else None


def _time(value: Any) -> float | None:
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def paced(recording: Recording, shape: WorkloadShape) -> list[SimulatedRequest]:
    """The recorded requests, each as much work as it was for its server, by the mean.

    They come at their recorded times, stretched to `shape.rate` where that is given. Facts that are not in the lines
    (times, clients, URLs) are drawn as in a synthetic workload. Raises `UsageError` without a time and a rate.
    """
    dice = Random(shape.seed)
    entries, means = recording.entries, recording.means
    overall = sum(entry.total for entry in entries) / len(entries)
    times = _times(entries, shape, dice)
    drawn, urls = (popular(dice, shape.clients, len(entries)) for _ in range(2))
    clients: dict[str, int] = {}
    requests = []
    for number, entry in enumerate(entries):
        client = clients.setdefault(entry.client, len(clients)) if entry.client else drawn[number]
        mean = means.get(entry.server, overall)
        requests.append(make_request(
            number, times[number], entry.total / mean if mean else 1.0, dice.randrange(shape.workers), client,
            entry.client.encode() or source(client), entry.target.encode() or b"/items/%d" % urls[number],
            entry.method.encode() or b"GET", shape.keys))
    return requests


def _times(entries: Sequence[RecordedRequest], shape: WorkloadShape, dice: Random) -> list[float]:
    """Seconds from the beginning at which each request comes."""
    known = [entry.time for entry in entries if entry.time is not None]
    span = known[-1] - known[0] if len(known) == len(entries) else 0.0
    if span > 0:
        stretch = (len(entries) - 1) / shape.rate / span if shape.rate else 1.0
        return [(time - known[0]) * stretch for time in known]
    if shape.concurrency:
        return [0.0] * len(entries)
    if not shape.rate:
        raise UsageError("--log: its lines do not say when requests came: give --rate or --concurrency")
    at = 0.0
    times = []
    for _ in entries:
        at += dice.expovariate(shape.rate)
        times.append(at)
    return times


def limited(shape: WorkloadShape, recording: Recording) -> WorkloadShape:
    """The shape with the number of requests that there are."""
    return replace(shape, requests=len(recording.entries))
