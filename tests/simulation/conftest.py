"""Fleets and runs for the tests of the simulation."""

from collections.abc import Callable
from typing import Any

import pytest

from lbd import schema
from lbd.balance import ALGORITHMS
from lbd.simulation import fault, fleet
from lbd.simulation.engine import Engine
from lbd.simulation.scenario import Scenario
from lbd.simulation.workload import WorkloadShape, synthetic

Run = Callable[..., Engine]


@pytest.fixture
def shape() -> Callable[..., WorkloadShape]:
    def make(**more: Any) -> WorkloadShape:
        given: dict[str, Any] = {"requests": 4000, "rate": 1000.0, "concurrency": 0, "tail": 0.5, "clients": 200,
                                 "writes": 0.1, "workers": 2, "seed": 7}
        return WorkloadShape(**{**given, **more})

    return make


@pytest.fixture
def run(shape: Callable[..., WorkloadShape]) -> Run:
    """Run an algorithm before servers, with faults as they are written on the command line: ("dies", "a@50%")."""
    def go(algorithm: str, servers: str, faults: tuple[tuple[str, str], ...] = (), slots: int = 4,
           settings: dict[str, Any] | None = None, timeout: float = 60.0, **more: Any) -> Engine:
        of = shape(**more)
        made = fleet.from_words(fleet.parse(servers), slots)
        timeouts = schema.Timeouts(server=timeout)
        backend = schema.BackendConfig(servers=made.settings.servers, timeouts=timeouts, **(settings or {}))
        made = fleet.SimulatedFleet(made.name, backend, made.seconds, slots, made.detect, made.recover)
        wrong = [fault.parse(kind, text, made.seconds) for kind, text in faults]
        scenario = Scenario(made, synthetic(of), of.workers, of.concurrency, wrong, of.seed)
        options = ALGORITHMS[algorithm].Options
        engine = Engine(scenario, schema.AlgorithmConfig(algorithm, options() if options else None))
        engine.run(lambda count: None)
        return engine

    return go
