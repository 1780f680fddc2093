"""lbd.simulation.admission: bounds are kept, requests wait in order, and waiting ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lbd import schema
from lbd.simulation.engine import Engine
from lbd.simulation.fault import Fault
from lbd.simulation.fleet import from_words, parse
from lbd.simulation.scenario import Scenario
from lbd.simulation.workload import WorkloadShape, synthetic

Bounded = Callable[..., Engine]


@pytest.fixture
def bounded(shape: Callable[..., WorkloadShape]) -> Bounded:
    """A run before servers of 10 ms that take `max_conns` requests each."""
    def go(count: int = 1, max_conns: int | None = 1, waits: float = 5.0, concurrency: int = 0, requests: int = 500,
           algorithm: str = "round-robin", **more: Any) -> Engine:
        of = shape(requests=requests, rate=0.0 if concurrency else 1e6, concurrency=concurrency, tail=0.0)
        fleet = from_words(parse(",".join(["10ms"] * count)), 0)
        servers = {name: replace(server, max_conns=max_conns) for name, server in fleet.settings.servers.items()}
        settings = schema.BackendConfig(servers=servers, timeouts=schema.Timeouts(queue=waits), **more)
        scenario = Scenario(replace(fleet, settings=settings), synthetic(of), of.workers, concurrency, [], of.seed)
        engine = Engine(scenario, schema.AlgorithmConfig(algorithm))
        engine.run(lambda count: None)
        return engine

    return go


def test_the_bound_is_kept_and_all_are_served_in_order(bounded: Bounded) -> None:
    engine = bounded(2, 5)
    assert (len(engine.results.taken), engine.results.failed) == (500, 0)
    assert engine.duration == pytest.approx(500 / 10 * 0.01, rel=0.01)
    assert list(engine.results.sent) == sorted(engine.results.sent)


def test_a_full_queue_and_a_long_wait(bounded: Bounded) -> None:
    assert bounded(queue=99).results.failed == 400                # one is served, 99 wait
    assert bounded(waits=0.1).results.failed == pytest.approx(489, abs=1)
    assert bounded(waits=0.0).results.failed == 499
    assert bounded(max_conns=None, max_in_flight=50).results.failed == 450


def test_a_closed_loop_waits_too(bounded: Bounded) -> None:
    engine = bounded(2, 2, concurrency=50)
    assert (len(engine.results.taken), engine.results.failed) == (500, 0)
    assert engine.duration == pytest.approx(500 / 4 * 0.01, rel=0.05)


def test_first_fills_one_server_after_the_other(bounded: Bounded) -> None:
    engine = bounded(4, 10, concurrency=15, algorithm="first")
    taken = [server.taken for server in engine.servers]
    assert taken[0] > taken[1] > 0 == taken[2] == taken[3]


@pytest.mark.parametrize(("kind", "failed"), [("dies", 0), ("hangs", 20)])
def test_a_bounded_server_that_is_gone(bounded: Bounded, kind: str, failed: int) -> None:
    engine = bounded(2, 10, requests=10)
    fault = Fault(kind, "a", 0.0)
    settings = replace(engine.scenario.fleet.settings, timeouts=schema.Timeouts(server=1.0, queue=60.0))
    scenario = replace(engine.scenario, fleet=replace(engine.scenario.fleet, settings=settings), faults=[fault])
    scenario = replace(scenario, workload=synthetic(WorkloadShape(1000, 200.0, 0, 0.0, 10, 0.0, 2, 1)))
    again = Engine(scenario, schema.AlgorithmConfig("round-robin"))
    again.run(lambda count: None)
    assert len(again.results.taken) + again.results.failed == 1000
    assert again.results.failed >= failed
    assert (again.results.failed == 0) == (kind == "dies")
