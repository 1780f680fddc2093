"""lbd.simulation.fault_schedule: the cost of servers that are slow, die, hang or come back."""

from collections.abc import Callable

import pytest

from lbd.simulation.engine import Engine
from lbd.simulation.fault import Fault
from lbd.simulation.fault_schedule import planned_changes

Run = Callable[..., Engine]


def shares(engine: Engine) -> dict[str, float]:
    total = sum(server.taken for server in engine.servers)
    return {name: engine.servers[slot].taken / total for name, slot in engine.slots.items()}


def test_changes_are_planned_in_the_order_of_requests() -> None:
    faults = [Fault("dies", "a", 0.5), Fault("slow", "b", 0.1, 0.5, 3.0)]
    assert planned_changes(faults, 100) == [(50, 1, faults[1], False), (50, 0, faults[0], True),
                                            (10, 1, faults[1], True)]


def test_a_dead_server_costs_failures_until_it_is_detected(run: Run) -> None:
    faults = (("dies", "b@50%"),)
    engine = run("round-robin", "5ms,5ms", faults, requests=20_000, settings={"retries": 0})
    # Half of 1000 requests per second, in the half seconds in which it is not in doubt, for the 7 s of the checks.
    assert 2 <= engine.results.failed < 3500
    assert max(engine.results.sent) > 19
    detected = run("round-robin", "5ms,5ms", faults, requests=40_000, settings={"retries": 0})
    assert detected.results.failed == pytest.approx(engine.results.failed, abs=30)        # no more afterwards


def test_what_may_not_be_repeated_is_lost_with_its_server(run: Run) -> None:
    engine = run("round-robin", "500ms,500ms", (("dies", "b@50%"),), slots=0, requests=4000, writes=1.0)
    assert engine.results.failed == pytest.approx(250, rel=0.3)     # half of a second's requests were in its hands


def test_a_server_that_hangs_costs_more_than_one_that_dies(run: Run) -> None:
    hanging = run("round-robin", "5ms,5ms", (("hangs", "b@50%"),), requests=20_000, timeout=1.0)
    assert hanging.results.failed == pytest.approx(3500, rel=0.1)     # half of all, until checks notice after 7 s
    assert shares(hanging)["b"] == pytest.approx((10_000 + 7_000) / 2 / 20_000, rel=0.05)


def test_a_server_that_comes_back_gets_its_share_again(run: Run) -> None:
    engine = run("round-robin", "5ms,5ms", (("hangs", "b@25%-50%"),), requests=40_000, timeout=0.1)
    # Out from 17 s (10 s and 7 s of checks) to 24 s (20 s and 4 s of checks) of 40 s.
    assert shares(engine)["b"] == pytest.approx((40 - 7) / 2 / 40, rel=0.03)


def test_a_slow_server_gets_less_while_it_is_slow(run: Run) -> None:
    usual, slow = (run("least-connections", "20ms,20ms", faults, requests=3000, rate=150.0)
                   for faults in ((), (("slow", "a@0%:x5"),)))
    assert shares(usual)["a"] > 0.45
    assert shares(slow)["a"] < 0.35
