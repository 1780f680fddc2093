"""All results of a run, and what the rounds say together."""

import statistics
from collections import defaultdict
from dataclasses import dataclass

from tests.bench.result import Result


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> "Spread | None":
        return Spread(statistics.median(values), min(values), max(values)) if values else None


class Rounds:
    """Results by case and target, in the order of the rounds."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))

    def add(self, case: str, target: str, result: Result) -> None:
        self.results[case][target].append(result)

    def values(self, case: str, target: str, field: str) -> list[float | None]:
        """The figures, a value per round."""
        return [getattr(result, field) for result in self.results.get(case, {}).get(target, [])]

    def spread(self, case: str, target: str, field: str) -> Spread | None:
        return Spread.of([value for value in self.values(case, target, field) if value is not None])

    def ratio(self, case: str, target: str, than: str, against: str, field: str = "cpu") -> float | None:
        """Median of the ratios round by round: a machine that drifts between rounds drifts for both."""
        pairs = zip(self.values(case, target, field), self.values(than, against, field), strict=False)
        ratios = [mine / theirs for mine, theirs in pairs if mine is not None and theirs]
        return statistics.median(ratios) if ratios else None

    def errors(self) -> list[str]:
        """Every error of every round, once."""
        found = [f"{case}: {target}: {error}" for case, targets in self.results.items()
                 for target, results in targets.items() for result in results for error in result.errors]
        return list(dict.fromkeys(found))
