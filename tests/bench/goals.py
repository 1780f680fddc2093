"""The goals of lbd, case by case."""

from dataclasses import dataclass

from tests.bench.rounds import Rounds


@dataclass(frozen=True, slots=True)
class Goal:
    """`at_most` times the CPU per request of `against` (a target; in the case `than` if given), else of the
    case's own figure."""

    case: str
    at_most: float
    against: str = ""
    than: str = ""


GOALS = (
    Goal("keepalive-2", 1.0, "haproxy"),
    Goal("keepalive-2", 1.0, "nginx"),
    Goal("keepalive-12", 0.95, "haproxy"),
    Goal("keepalive-12", 1.0, "nginx"),
    Goal("keepalive-12", 0.85, "haproxy-full"),
    Goal("keepalive-12", 0.85, "nginx-full"),
    Goal("log", 1.25, "lbd", than="keepalive-12"),
    Goal("log", 1.0, "haproxy"),
    Goal("log", 1.0, "nginx"),
    *(Goal(case, 1.15, "lbd", than="keepalive-12") for case in ("post-1k", "sticky", "edited", "traced", "routes-100")),
    *(Goal(case, 0.9, "haproxy") for case in ("post-1k", "sticky", "edited", "routes-100")),
    Goal("close", 1.1, "haproxy"),
    Goal("close", 1.15, "nginx"),
    Goal("body-10m", 0.8, "nginx"),
    Goal("upload-1m", 1.05, "nginx"),
    Goal("tcp-2", 1.05, "haproxy"),
    Goal("tcp-10m", 1.05, "haproxy"),
    Goal("workers-2", 1.1, "lbd", than="workers-1"),
    Goal("burst", 1.0),
    Goal("idle-5000", 4.0),
    Goal("tls-keepalive", 1.05, "haproxy"),
    Goal("tls-keepalive", 1.0, "nginx"),
    Goal("tls-resumed", 1.15, "haproxy"),
    Goal("tls-resumed", 1.3, "nginx"),
    Goal("tls-full", 1.15, "haproxy"),
    Goal("tls-full", 1.3, "nginx"),
    Goal("tls-10m", 1.05, "haproxy"),
    Goal("tls-idle", 20.0),
    Goal("start", 1.0),
    Goal("slow-readers", 80.0),
)


def reached(goal: Goal, rounds: Rounds) -> float | None:
    """The figure to hold against the goal; None when it was not measured."""
    if goal.against:
        return rounds.ratio(goal.case, "lbd", goal.than or goal.case, goal.against)
    found = rounds.spread(goal.case, "lbd", "figure")
    return found.median if found else None
