"""lbd.simulation.server: slots, the queue behind them, slowness and loss."""

import pytest

from lbd.simulation.server import SimulatedServer


def test_slots_and_a_queue_in_order() -> None:
    machine = SimulatedServer(1.0, 2)
    assert [machine.serve(10.0, effort) for effort in (1.0, 3.0, 1.0, 1.0)] == [11.0, 13.0, 12.0, 13.0]
    assert machine.serve(20.0, 0.5) == 20.5
    assert machine.busy == 6.5


def test_without_slots_nobody_waits() -> None:
    machine = SimulatedServer(0.5, 0)
    assert [machine.serve(1.0, 1.0) for _ in range(100)] == [1.5] * 100


def test_a_slow_machine_takes_longer_for_what_comes() -> None:
    machine = SimulatedServer(1.0, 1)
    machine.serve(0.0, 1.0)
    machine.slowness = 4.0
    assert machine.serve(0.0, 1.0) == 5.0


def test_a_crash_empties_it() -> None:
    machine = SimulatedServer(1.0, 1)
    for _ in range(10):
        machine.serve(0.0, 1.0)
    machine.crash()
    assert machine.serve(1.0, 1.0) == 2.0


@pytest.mark.parametrize(("refuses", "hangs"), [(True, False), (False, True)])
def test_what_a_check_would_see(refuses: bool, hangs: bool) -> None:
    machine = SimulatedServer(1.0, 1)
    assert machine.well
    machine.refuses, machine.hangs = refuses, hangs
    assert not machine.well
