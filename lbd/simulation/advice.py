"""The advice after a simulated run: the recommended algorithm, with reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from lbd.simulation.figures import AlgorithmFigures

# Differences that are not worth a change: of p99 and mean by this factor, of failures by this share of the requests.
SAME = 1.05
SAME_FAILED = 0.001
FULL = 0.97            # share of the capacity above which a server is overloaded

# The order at equal figures: simpler and better known algorithms first; those not listed come last.
PLAIN = ("weighted-round-robin", "least-connections", "round-robin", "random-two-choices", "least-time", "threshold",
         "random", "first")

# These are chosen for what they keep together, not for their times.
KEEPS = {"sticky-round-robin": "a client", "source-ip-hash": "a client", "url-hash": "a URL",
         "consistent-hash": "a URL", "maglev": "a URL"}


@dataclass(frozen=True, slots=True)
class Advice:
    """The name of the algorithm, and the reasons as sentences."""

    algorithm: str
    reasons: Sequence[str]

    def __str__(self) -> str:
        return " ".join(self.reasons)


def ranked(found: Sequence[AlgorithmFigures]) -> list[AlgorithmFigures]:
    """The figures in order, the best first: few failures, then a short tail, a short mean, and a simple algorithm."""
    left = list(found)
    order = []
    while left:
        best = _best(left)
        order.append(best)
        left.remove(best)
    return order


def _best(found: Sequence[AlgorithmFigures]) -> AlgorithmFigures:
    fewest = min(figures.failed / figures.requests for figures in found)
    good = [figures for figures in found if figures.failed / figures.requests <= fewest + SAME_FAILED]
    for figure in ("p99", "mean"):
        least = min(_known(getattr(figures, figure)) for figures in good)
        good = [figures for figures in good if _known(getattr(figures, figure)) <= least * SAME]
    return min(good, key=lambda figures: (PLAIN.index(figures.algorithm) if figures.algorithm in PLAIN else len(PLAIN),
                                          _known(figures.p99), figures.algorithm))


def _known(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def advise(found: Sequence[AlgorithmFigures], usual: str, open_loop: bool = True, fair: str = "") -> Advice:
    """Choose among the algorithms that may send a request anywhere, else among all; `usual` is the one in use now.

    In a closed loop a server that is always busy is no problem, as clients wait for it. `fair` are weights that fit the
    speeds of the servers, if theirs do not.
    """
    free = [figures for figures in found if figures.algorithm not in KEEPS] or list(found)
    best = _best(free)
    now = next((figures for figures in found if figures.algorithm == usual), None)
    reasons = [_against(best, now) if now is not None and now is not best else _alone(best, free, usual)]
    if now is not None and now is not best:
        reasons += _because(best, now, open_loop, fair)
    for what in dict.fromkeys(KEEPS.values()):
        keeping = [figures for figures in found if KEEPS.get(figures.algorithm) == what and figures not in free]
        if keeping:
            other = _best(keeping)
            reasons.append(f"To keep {what} on its server: {other.algorithm}, {times(other)}.")
    if open_loop and best.busy is not None and min(best.busy.values()) > FULL:
        reasons.append("No algorithm can help for long, though: every server is overloaded.")
    return Advice(best.algorithm, reasons)


def _against(best: AlgorithmFigures, now: AlgorithmFigures) -> str:
    """The gain over the algorithm in use, in one sentence."""
    lead = f"{times(best)}, against {times(now)} of {now.algorithm}"
    if (gone := now.failed - best.failed) > SAME_FAILED * now.requests:
        return f"{lead}; {gone:,} fewer of {now.requests:,} requests fail."
    if best.p99 and now.p99 and now.p99 / best.p99 > SAME:
        return f"{lead}: {factor(now.p99 / best.p99)} less."
    if best.mean and now.mean and now.mean / best.mean > SAME:
        return f"{lead}; the mean is {factor(now.mean / best.mean)} less."
    return f"{lead}: no difference that matters, and it is simpler."


def _alone(best: AlgorithmFigures, others: Sequence[AlgorithmFigures], usual: str) -> str:
    if len(others) == 1:
        return f"{times(best)}; nothing was compared with it."
    if best.algorithm == usual:
        return f"{times(best)}; no other is better by more than {percent(SAME - 1)}, so there is no reason to change."
    return f"{times(best)}, the best of these."


def _because(best: AlgorithmFigures, now: AlgorithmFigures, open_loop: bool, fair: str) -> list[str]:
    """The cause of the difference: the overloaded server, and its share before and after."""
    if open_loop and now.busy is not None and best.busy is not None:
        full = max(now.busy, key=lambda name: now.busy[name] if now.busy else 0.0)
        if now.busy[full] > FULL > best.busy[full]:
            return [f"{now.algorithm} gives {full} {percent(now.shares[full])} of the requests, more than it can "
                    f"answer; {best.algorithm} gives it {percent(best.shares[full])}.",
                    *([f"Weights that fit the speeds would help what goes by weight: {fair}."] if fair else [])]
    moved = max(now.shares, key=lambda name: now.shares[name] - best.shares[name])
    if now.shares[moved] - best.shares[moved] > 0.02:
        return [f"It gives {moved} {percent(best.shares[moved])} of the requests instead of "
                f"{percent(now.shares[moved])}."]
    return []


def times(figures: AlgorithmFigures) -> str:
    """The figures that are compared."""
    failed = figures.failed / figures.requests
    return "no answer at all" if figures.p99 is None else \
        f"p99 {span(figures.p99)}" + (f" and {percent(failed)} failed" if failed > SAME_FAILED else "")


def factor(value: float) -> str:
    """`3.2 times`, `12 %`."""
    return f"{value:,.{0 if value >= 10 else 1}f} times" if value >= 1.5 else percent(1 - 1 / value)


def percent(share: float) -> str:
    """`41 %`, `0.6 %`, `0 %`."""
    value = share * 100
    return f"{value:.0f} %" if value >= 9.95 else "<0.1 %" if 0 < value < 0.05 else f"{value:.2g} %"


def span(seconds: float) -> str:
    """`12.3 ms`, `4.56 s`: three figures."""
    unit, value = ("s", seconds) if seconds >= 0.9995 else ("ms", seconds * 1000)
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
