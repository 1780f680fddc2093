"""The trial of a generation that waits to be confirmed: its measurements, and the reasons for a rollback."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from lbd.backend.state import available
from lbd.generation.in_force import InForce
from lbd.generation.server_states import ServerStates
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board

BEFORE = 60          # samples, one a second, with which a trial is compared
FEWEST = 100         # answers below which their statuses prove nothing
WORSE = 2.0          # times the share of 5xx answers of the minute before
NEGLIGIBLE = 0.01    # share of 5xx answers that is never a reason

_ANSWERS = tuple(fields.ROUTE_REQUESTS + fields.CODES.index(code) for code in ("2xx", "3xx", "4xx", "5xx"))
_ERRORS = fields.ROUTE_REQUESTS + fields.CODES.index("5xx")

Counts = Mapping[tuple[str, str], tuple[float, float]]   # by route (listener, backend): answers, and 5xx among them


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one moment: answers ever given, and usable servers by backend."""

    answers: Counts = field(default_factory=dict)
    usable: Mapping[str, int] = field(default_factory=dict)


class Sampler:
    """Takes samples of the generation in force."""

    def __init__(self, board: Board, in_force: InForce, servers: ServerStates) -> None:
        self._board = board
        self._in_force = in_force
        self._servers = servers

    def sample(self) -> Sample:
        """The figures of now; empty before the first generation."""
        generation = self._in_force.generation
        if generation is None:
            return Sample()
        answers = {}
        for pair, slot in generation.routes.items():
            totals = self._board.totals(scoreboard.ROUTE, slot)
            answers[pair] = sum(totals[place] for place in _ANSWERS), totals[_ERRORS]
        usable = {name: sum(map(available, endpoints))
                  for name, endpoints in self._servers.endpoints.by_backend(generation.config).items()}
        return Sample(answers, usable)


def between(first: Sample, last: Sample) -> tuple[float, float]:
    """Answers from one moment to the other, and the 5xx among them."""
    answers = errors = 0.0
    for pair, (total, bad) in last.answers.items():
        before = first.answers.get(pair, (0.0, 0.0))
        if total >= before[0]:   # a row that was given to another owner began anew
            answers += total - before[0]
            errors += bad - before[1]
    return answers, errors


class Window:
    """The samples of the last minute."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=BEFORE + 1)

    def add(self, sample: Sample) -> None:
        """Add a sample; called once a second."""
        self._samples.append(sample)

    def share(self, now: Sample) -> float:
        """The share of 5xx answers since the oldest sample; 0.0 without answers."""
        answers, errors = between(self._samples[0], now) if self._samples else (0.0, 0.0)
        return errors / answers if answers else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial: until when it lasts (monotonic seconds), and the figures when it began."""

    generation: int
    until: float
    begin: Sample
    share: float

    def trouble(self, now: Sample) -> str:
        """The reason to end the trial at once, "" if there is none."""
        answers, errors = between(self.begin, now)
        if answers >= FEWEST and errors / answers > max(NEGLIGIBLE, WORSE * self.share):
            return (f"{errors / answers:.1%} of {answers:.0f} answers were 5xx, "
                    f"{self.share:.1%} in the minute before")
        for name, before in self.begin.usable.items():
            left = now.usable.get(name, before)
            if left < before and left * 2 <= before:
                return f"backends.{name}: {left} usable server{'s' * (left != 1)} are left of {before}"
        return ""
