"""The score: latency by in flight and weight, and what stands for latencies that are missing or old."""

import pytest

from lbd.balance.fastest import Fastest
from lbd.stats import scoreboard
from tests.balance.fleet import Fleet


def fastest(fleet: Fleet, backend: int | None = 0, decay: float = 10.0) -> Fastest:
    return Fastest(fleet.board, backend, [server.slot for server in fleet.servers],
                   [server.weight for server in fleet.servers], decay)


def test_score_is_latency_by_load_and_weight_of_all_workers() -> None:
    fleet = Fleet([1, 4])
    fleet.answer(0, 100.0, 0.010, lane=0)
    fleet.answer(0, 100.0, 0.030, lane=1)
    fleet.answer(1, 100.0, 0.080, lane=2)
    fleet.load(1, 2, lane=3)
    assert fastest(fleet).scores() == pytest.approx([0.020, 0.080 * 3 / 4])
    assert fastest(fleet).pick() == 0
    fleet.load(0, 3, lane=1)
    assert fastest(fleet).pick() == 1


def test_without_any_sample_only_load_and_weight_count() -> None:
    fleet = Fleet([1, 1, 1])
    one = fastest(fleet)
    assert [one.pick() for _ in range(6)] == [0, 1, 2, 0, 1, 2]
    fleet.load(1, 1)
    assert 1 not in {one.pick() for _ in range(6)}


def test_the_mean_of_the_backend_stands_for_a_cold_server() -> None:
    fleet = Fleet([1, 1, 1])
    for _ in range(3):
        fleet.answer(0, 100.0, 0.010)
    fleet.answer(1, 100.0, 0.050)
    assert fastest(fleet).scores() == pytest.approx([0.010, 0.050, 0.020])
    assert fastest(fleet, backend=None).scores() == pytest.approx([0.010, 0.050, 0.030])
    fleet.answer(2, 100.0, 0.005)
    assert fastest(fleet).scores()[2] == pytest.approx(0.005)


def test_an_old_latency_comes_half_way_nearer_to_the_least_per_decay() -> None:
    fleet = Fleet([1, 1])
    fleet.answer(1, 100.0, 0.090)
    for moment, expected in ((100.0, 0.090), (110.0, 0.090), (120.0, 0.050), (130.0, 0.030), (900.0, 0.010)):
        fleet.answer(0, moment, 0.010)
        assert fastest(fleet).scores() == pytest.approx([0.010, expected])
    assert fleet.board.latency(1) == pytest.approx(0.090)     # what is exported is what was measured


def test_a_pick_sees_new_samples() -> None:
    fleet = Fleet([1, 1])
    one = fastest(fleet)
    fleet.answer(0, 100.0, 0.010)
    fleet.answer(1, 100.0, 0.020)
    assert one.pick() == 0
    for _ in range(10):
        fleet.answer(0, 101.0, 0.100)
    assert one.pick() == 1


def test_the_clock_may_go_back() -> None:
    fleet = Fleet([1, 1])
    fleet.answer(0, 100.0, 0.010)
    one = fastest(fleet)
    scoreboard.freeze(1000.0)
    one.pick()
    scoreboard.freeze(50.0)
    assert one.pick() in (0, 1)


def test_a_latency_of_nothing_does_not_hide_the_load() -> None:
    fleet = Fleet([1, 1])
    fleet.answer(0, 100.0, 0.0)
    fleet.answer(1, 100.0, 0.0)
    fleet.load(0, 1)
    assert {fastest(fleet).pick() for _ in range(4)} == {1}


def test_refuses_what_cannot_be() -> None:
    fleet = Fleet([1])
    with pytest.raises(ValueError, match="decay"):
        fastest(fleet, decay=0.0)
    with pytest.raises(ValueError, match="at least one"):
        Fastest(fleet.board, 0, [], [], 10.0)
    with pytest.raises(IndexError):
        fastest(fleet, backend=1 << 20)
