"""lbd.simulation.engine: known outcomes of the production algorithms, faults, and what makes a run end."""

from collections.abc import Callable
from statistics import fmean

import pytest

from lbd.balance import ALGORITHMS
from lbd.simulation.engine import Engine
from lbd.stats.scoreboard import now

Run = Callable[..., Engine]


def shares(engine: Engine) -> dict[str, float]:
    total = sum(machine.taken for machine in engine.machines)
    return {name: engine.machines[slot].taken / total for name, slot in engine.slots.items()}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("load", [{"rate": 600.0}, {"rate": 0.0, "concurrency": 10}])
def test_every_request_ends_and_chance_is_repeatable(run: Run, algorithm: str, load: dict[str, float]) -> None:
    first, again = (run(algorithm, "5ms,5ms,8ms", (("slow", "b@20%-40%:x3"), ("dies", "a@50%-60%")), requests=1500,
                        workers=3, **load) for _ in range(2))
    assert len(first.taken) + first.failed == 1500
    assert (first.sent, first.taken, first.failed) == (again.sent, again.taken, again.failed)
    assert min(first.taken) > 0
    assert first.board.in_flight(0) == first.board.in_flight(1) == first.board.in_flight(2) == 0


def test_the_clock_runs_again_afterwards(run: Run) -> None:
    run("round-robin", "5ms", requests=10)
    before = now()
    assert now() >= before != 1000.0


def test_least_connections_beats_round_robin_with_a_slow_server(run: Run) -> None:
    turns, least = (run(algorithm, "5ms,5ms,60ms", rate=300.0) for algorithm in ("round-robin", "least-connections"))
    assert fmean(least.taken) < fmean(turns.taken) / 3
    assert shares(least)["c"] < 0.1 < 0.33 < shares(turns)["c"]


def test_weights_are_respected(run: Run) -> None:
    found = shares(run("weighted-round-robin", "5msx5,5msx3,5msx0,5msx2", workers=3))
    assert found == pytest.approx({"a": 0.5, "b": 0.3, "c": 0.0, "d": 0.2}, abs=0.002)


def test_an_overloaded_server_makes_its_queue_wait(run: Run) -> None:
    engine = run("round-robin", "10ms", slots=1, rate=200.0, requests=1000, tail=0.0)
    assert engine.duration == pytest.approx(10.0, abs=0.1)      # one after the other
    assert max(engine.taken) > 4.0


def test_requests_fail_at_the_timeout(run: Run) -> None:
    engine = run("round-robin", "100ms", slots=1, rate=1000.0, requests=100, tail=0.0, timeout=0.55)
    assert (len(engine.taken), engine.failed) == (5, 95)


def test_one_client_in_a_closed_loop_waits_for_each_answer(run: Run) -> None:
    engine = run("round-robin", "10ms", rate=0.0, concurrency=1, requests=50, tail=0.0)
    assert engine.duration == pytest.approx(0.5)
    assert list(engine.taken) == pytest.approx([0.01] * 50)


def test_a_dead_server_costs_failures_until_it_is_detected(run: Run) -> None:
    faults = (("dies", "b@50%"),)
    engine = run("round-robin", "5ms,5ms", faults, requests=20_000, settings={"retries": 0})
    # Half of 1000 requests per second, in the half seconds in which it is not in doubt, for the 7 s of the checks.
    assert 2 <= engine.failed < 3500
    assert max(engine.sent) > 19
    detected = run("round-robin", "5ms,5ms", faults, requests=40_000, settings={"retries": 0})
    assert detected.failed == pytest.approx(engine.failed, abs=30)        # no more afterwards


def test_repeats_hide_a_dead_server(run: Run) -> None:
    engine = run("round-robin", "5ms,5ms", (("dies", "b@50%"),), requests=10_000, writes=0.0)
    assert engine.failed == 0


def test_what_may_not_be_repeated_is_lost_with_its_server(run: Run) -> None:
    engine = run("round-robin", "500ms,500ms", (("dies", "b@50%"),), slots=0, requests=4000, writes=1.0)
    assert engine.failed == pytest.approx(250, rel=0.3)     # half of a second's requests were in its hands


def test_a_server_that_hangs_costs_more_than_one_that_dies(run: Run) -> None:
    hanging = run("round-robin", "5ms,5ms", (("hangs", "b@50%"),), requests=20_000, timeout=1.0)
    assert hanging.failed == pytest.approx(3500, rel=0.1)                 # half of all, until checks notice after 7 s
    assert shares(hanging)["b"] == pytest.approx((10_000 + 7_000) / 2 / 20_000, rel=0.05)


def test_a_server_that_comes_back_gets_its_share_again(run: Run) -> None:
    engine = run("round-robin", "5ms,5ms", (("hangs", "b@25%-50%"),), requests=40_000, timeout=0.1)
    # Out from 17 s (10 s and 7 s of checks) to 24 s (20 s and 4 s of checks) of 40 s.
    assert shares(engine)["b"] == pytest.approx((40 - 7) / 2 / 40, rel=0.03)


def test_without_any_server_requests_fail_and_the_run_ends(run: Run) -> None:
    for load in ({"rate": 1000.0}, {"rate": 0.0, "concurrency": 20}):
        engine = run("least-connections", "5ms", (("dies", "a@0%"),), requests=2000, **load)
        assert (len(engine.taken), engine.failed) == (0, 2000)


def test_a_slow_server_gets_less_while_it_is_slow(run: Run) -> None:
    usual, slow = (run("least-connections", "20ms,20ms", faults, requests=3000, rate=150.0)
                   for faults in ((), (("slow", "a@0%:x5"),)))
    assert shares(usual)["a"] > 0.45
    assert shares(slow)["a"] < 0.35


def test_clients_stay_with_their_servers(run: Run) -> None:
    engine = run("sticky-round-robin", "5ms,5ms,5ms", clients=30, requests=3000)
    homes = engine.homes
    assert len(homes) == 30
    again = run("sticky-round-robin", "5ms,5ms,5ms", clients=30, requests=3000)
    assert again.homes == homes
    moved = run("sticky-round-robin", "5ms,5ms,5ms", (("dies", "c@10%"),), clients=30, requests=3000)
    assert set(moved.homes.values()) == {"a", "b"}


def test_progress_adds_up(run: Run) -> None:
    for load in ({"rate": 1000.0}, {"rate": 0.0, "concurrency": 7}):
        told: list[int] = []
        engine = run("random", "5ms,5ms", requests=5000, **load)
        fresh = Engine(engine.scene, engine.workers[0].backend.settings.algorithm)
        fresh.run(told.append)
        assert sum(told) == 5000
        assert len(told) > 1
