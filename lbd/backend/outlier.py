"""Passive ejection, after Envoy's outlier detection: servers that failed many real requests in a row are left out for a
while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lbd.backend.state import Identity
from lbd.schema import Outlier

EJECTED, RETURNED, NOT_ENFORCED, TOO_MANY = "ejected", "returned", "not-enforced", "too-many"


class FailureCounts(NamedTuple):
    """Counts of a server in the scoreboard, lane by lane: failures since the lane's last success, and when that was."""

    failures: Sequence[float]
    succeeded: Sequence[float]


class Decision(NamedTuple):
    """A decision about a server: `what` is its kind, one of the words above; `failures` were in a row, `seconds` is the
    duration of the ejection."""

    server: Identity
    what: str
    failures: int = 0
    seconds: float = 0.0


class Streak:
    """Failures in a row over all lanes: those since the last success anywhere.

    Lanes count by themselves, so the failures of a lane up to a success in another lane are subtracted. So are failures
    between that success and its reading: a busy server is judged a little too mildly, never too harshly.
    """

    def __init__(self) -> None:
        self._latest = 0.0
        self._before: list[float] = []

    def count(self, figures: FailureCounts) -> int:
        """The length of the streak by these counts."""
        failures, succeeded = figures
        self._before += [0.0] * (len(failures) - len(self._before))
        latest = max(succeeded, default=0.0)
        for lane, now in enumerate(failures):
            if latest > self._latest:
                self._before[lane] = 0.0 if succeeded[lane] == latest else now
            elif now < self._before[lane]:
                self._before[lane] = 0.0   # zeroed: by a success of its own, or because its process is dead
        self._latest = max(latest, self._latest)
        return int(sum(failures) - sum(self._before))

    def begin(self, figures: FailureCounts) -> None:
        """Count anew from here."""
        self._before = list(figures.failures)
        self._latest = max(self._latest, *figures.succeeded, 0.0)


@dataclass(slots=True)
class Case:
    """The record of a server: `until` when it is ejected (0.0: it is not), `times` how often lately, `since` when the
    last ejection ended, `quiet` until when a decision without consequences is not repeated, `counts` decisions by
    word."""

    streak: Streak = field(default_factory=Streak)
    until: float = 0.0
    times: int = 0
    since: float = 0.0
    quiet: float = 0.0
    passes: int = 0
    failures: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """Count a decision."""
        self.counts[what] = self.counts.get(what, 0) + 1


class Outliers:
    """The servers of one backend, by identity. `settings` may be replaced at any time; `cases` are the
    records of servers from before."""

    def __init__(self, settings: Outlier, cases: Mapping[Identity, Case] | None = None) -> None:
        self.settings = settings
        self.cases: dict[Identity, Case] = dict(cases or {})

    def keep_only(self, servers: Sequence[Identity]) -> None:
        """Keep the records of these servers only."""
        self.cases = {server: self.cases.get(server) or Case() for server in servers}

    def ejected(self, server: Identity) -> bool:
        """Whether the server is left out now."""
        case = self.cases.get(server)
        return case is not None and case.until > 0

    def judge(self, now: float, figures: Mapping[Identity, FailureCounts]) -> list[Decision]:
        """Decide by the counts of the servers that may take requests; `now` is monotonic."""
        decisions = [self._end(server, case, now) for server, case in self.cases.items() if 0 < case.until <= now]
        for server, seen in figures.items():
            case = self.cases.get(server)
            if case is None or case.until:
                continue
            while case.times and now - case.since >= self.settings.base:
                case.times -= 1   # so much time without an ejection makes up for one
                case.since += self.settings.base
            failures = case.streak.count(seen)
            if failures >= self.settings.consecutive:
                case.streak.begin(seen)
                decision = self._judge(server, case, failures, now)
                if decision.what == EJECTED or now >= case.quiet:
                    case.count(decision.what)
                    case.quiet = now + self.settings.base
                    decisions.append(decision)
        return decisions

    def passed(self, server: Identity, streak: int, rise: int, now: float) -> Decision | None:
        """Note a passed check of the server, the `streak`-th in a row: after `rise` of them an ejection ends early."""
        case = self.cases.get(server)
        if case is None or not case.until:
            return None
        case.passes = min(case.passes + 1, streak)
        return self._end(server, case, now) if case.passes >= rise else None

    def _judge(self, server: Identity, case: Case, failures: int, now: float) -> Decision:
        settings = self.settings
        out = sum(1 for other in self.cases.values() if other.until)
        if not settings.enforce:
            return Decision(server, NOT_ENFORCED, failures)
        if out + 1 > settings.max_ejected * len(self.cases) + 1e-9:
            return Decision(server, TOO_MANY, failures)
        case.times += 1
        case.passes = 0
        case.failures = failures
        case.seconds = min(settings.base * case.times, settings.max)
        case.until = now + case.seconds
        return Decision(server, EJECTED, failures, case.seconds)

    def _end(self, server: Identity, case: Case, now: float) -> Decision:
        case.until = 0.0
        case.since = now
        case.count(RETURNED)
        return Decision(server, RETURNED)
