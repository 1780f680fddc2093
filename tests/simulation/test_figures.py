"""lbd.simulation.figures: percentiles, shares, and what changes over time."""

from collections.abc import Callable

import pytest

from lbd.simulation.engine import Engine
from lbd.simulation.figures import WINDOWS, measure, over_time, percentile

Run = Callable[..., Engine]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_by_the_nearest_rank(share: float, value: float) -> None:
    assert percentile(range(1, 101), share) == value


def test_percentiles_of_little() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.99) == 3.0


def test_over_time() -> None:
    sent = [float(number) for number in range(WINDOWS * 20)]
    found = over_time(sent, [1.0 if when < WINDOWS * 10 else 2.0 for when in sent])
    assert len(found) == WINDOWS
    assert [p99 for _, p99 in found] == [1.0] * (WINDOWS // 2) + [2.0] * (WINDOWS // 2)
    assert found == sorted(found)
    assert over_time([], []) == over_time([0.0], [1.0]) == []
    assert over_time([0.0, 5.0], [1.0, 1.0]) == []       # too few to say anything


def test_a_run(run: Run) -> None:
    found = measure("round-robin", run("round-robin", "10ms,30ms", rate=100.0, tail=0.0, slots=4))
    assert (found.algorithm, found.requests, found.failed) == ("round-robin", 4000, 0)
    assert found.mean == pytest.approx(0.02, rel=0.01)
    assert (found.p50, found.p99) == (pytest.approx(0.01), pytest.approx(0.03))
    assert found.shares == {"a": 0.5, "b": 0.5}
    assert found.busy == {"a": pytest.approx(0.125, rel=0.1), "b": pytest.approx(0.375, rel=0.1)}
    assert found.duration == pytest.approx(40, rel=0.1)


def test_a_run_without_slots_and_one_without_answers(run: Run) -> None:
    assert measure("random", run("random", "5ms", slots=0)).busy is None
    nothing = measure("random", run("random", "5msx3,5ms", (("dies", "a@0%"), ("dies", "b@0%"))))
    assert (nothing.failed, nothing.mean, nothing.p99, nothing.over_time) == (4000, None, None, [])
    assert nothing.shares == {"a": 0.0, "b": 0.0}
    assert nothing.busiest == nothing.idlest == "a"
