"""lbd.simulation.engine: known outcomes of the production algorithms, faults, and what makes a run end."""

from collections.abc import Callable
from statistics import fmean

import pytest

from lbd.balance import ALGORITHMS
from lbd.simulation.engine import Engine
from lbd.stats.scoreboard import now

Run = Callable[..., Engine]


def shares(engine: Engine) -> dict[str, float]:
    total = sum(server.taken for server in engine.servers)
    return {name: engine.servers[slot].taken / total for name, slot in engine.slots.items()}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("load", [{"rate": 600.0}, {"rate": 0.0, "concurrency": 10}])
def test_every_request_ends_and_chance_is_repeatable(run: Run, algorithm: str, load: dict[str, float]) -> None:
    first, again = (run(algorithm, "5ms,5ms,8ms", (("slow", "b@20%-40%:x3"), ("dies", "a@50%-60%")), requests=1500,
                        workers=3, **load) for _ in range(2))
    assert len(first.results.taken) + first.results.failed == 1500
    assert (first.results.sent, first.results.taken) == (again.results.sent, again.results.taken)
    assert first.results.failed == again.results.failed
    assert min(first.results.taken) > 0
    assert first.board.in_flight(0) == first.board.in_flight(1) == first.board.in_flight(2) == 0


def test_the_clock_runs_again_afterwards(run: Run) -> None:
    run("round-robin", "5ms", requests=10)
    before = now()
    assert now() >= before != 1000.0


def test_least_connections_beats_round_robin_with_a_slow_server(run: Run) -> None:
    turns, least = (run(algorithm, "5ms,5ms,60ms", rate=300.0) for algorithm in ("round-robin", "least-connections"))
    assert fmean(least.results.taken) < fmean(turns.results.taken) / 3
    assert shares(least)["c"] < 0.1 < 0.33 < shares(turns)["c"]


def test_weights_are_respected(run: Run) -> None:
    found = shares(run("weighted-round-robin", "5msx5,5msx3,5msx0,5msx2", workers=3))
    assert found == pytest.approx({"a": 0.5, "b": 0.3, "c": 0.0, "d": 0.2}, abs=0.002)


def test_an_overloaded_server_makes_its_queue_wait(run: Run) -> None:
    engine = run("round-robin", "10ms", slots=1, rate=200.0, requests=1000, tail=0.0)
    assert engine.duration == pytest.approx(10.0, abs=0.1)      # one after the other
    assert max(engine.results.taken) > 4.0


def test_one_client_in_a_closed_loop_waits_for_each_answer(run: Run) -> None:
    engine = run("round-robin", "10ms", rate=0.0, concurrency=1, requests=50, tail=0.0)
    assert engine.duration == pytest.approx(0.5)
    assert list(engine.results.taken) == pytest.approx([0.01] * 50)


def test_progress_adds_up(run: Run) -> None:
    for load in ({"rate": 1000.0}, {"rate": 0.0, "concurrency": 7}):
        told: list[int] = []
        engine = run("random", "5ms,5ms", requests=5000, **load)
        fresh = Engine(engine.scenario, engine.workers[0].backend.settings.algorithm)
        fresh.run(told.append)
        assert sum(told) == 5000
        assert len(told) > 1
