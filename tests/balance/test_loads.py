"""Draws are by weight and without repetition, loads are those of all workers, limits are kept."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbd.balance.loads import PROBES, Loads
from tests.balance.fleet import Fleet, spread

WEIGHTS = st.lists(st.integers(1, 1000), min_size=1, max_size=12)
COUNTS = st.lists(st.integers(0, 50), min_size=12, max_size=12)


def loads(fleet: Fleet, seed: int = 1) -> Loads:
    return Loads(fleet.board, [server.slot for server in fleet.servers],
                 [server.weight for server in fleet.servers], seed)


def test_in_flight_is_the_sum_of_all_workers() -> None:
    fleet = Fleet([1, 1, 1])
    fleet.load(0, 2, lane=0)
    fleet.load(0, 3, lane=3)
    fleet.load(2, 1, lane=1)
    assert loads(fleet).in_flight() == [5, 0, 1]


@pytest.mark.parametrize("weights", [[1, 1], [5, 1, 1], [1000, 1, 1], list(range(1, 21))])
def test_draws_are_by_weight_within_five_deviations(weights: list[int]) -> None:
    one = loads(Fleet(weights))
    seen = Counter(one.draw() for _ in range(20_000))
    for place, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(seen[place] / 20_000 - share) <= spread(share, 20_000)


def test_equal_seeds_draw_equally() -> None:
    fleet = Fleet([3, 1, 2])
    one, two, other = loads(fleet, 7), loads(fleet, 7), loads(fleet, 8)
    first = [one.draw() for _ in range(50)]
    assert first == [two.draw() for _ in range(50)]
    assert first != [other.draw() for _ in range(50)]


@given(WEIGHTS, COUNTS)
def test_the_less_loaded_of_two_is_never_the_most_loaded_of_all(weights: list[int], counts: list[int]) -> None:
    fleet = Fleet(weights)
    for slot in range(len(weights)):
        fleet.load(slot, counts[slot])
    one = loads(fleet)
    relative = [counts[slot] / weight for slot, weight in enumerate(weights)]
    worst = max(relative)
    for _ in range(20):
        chosen = one.two()
        assert relative[chosen] < worst or relative.count(worst) > 1 or len(weights) == 1


def test_two_of_two_equals_follow_the_weights() -> None:
    one = loads(Fleet([9, 1]))
    seen = Counter(one.two() for _ in range(10_000))
    assert abs(seen[1] / 10_000 - 0.1) <= spread(0.1, 10_000)


@given(WEIGHTS, COUNTS, st.integers(1, PROBES), st.floats(0.01, 60))
def test_threshold_takes_one_below_the_limit_if_probes_reach_all(
        weights: list[int], counts: list[int], probes: int, limit: float) -> None:
    fleet = Fleet(weights)
    for slot in range(len(weights)):
        fleet.load(slot, counts[slot])
    relative = [counts[slot] / weight for slot, weight in enumerate(weights)]
    chosen = loads(fleet).threshold(limit, probes)
    assert 0 <= chosen < len(weights)
    if probes >= len(weights):
        assert relative[chosen] < limit or relative[chosen] == min(relative)


@given(WEIGHTS, COUNTS, st.floats(0.01, 60))
def test_listed_is_the_first_below_the_limit(weights: list[int], counts: list[int], limit: float) -> None:
    fleet = Fleet(weights)
    for slot in range(len(weights)):
        fleet.load(slot, counts[slot])
    below = [slot for slot, weight in enumerate(weights) if counts[slot] < limit * weight]
    chosen = loads(fleet).listed(limit)
    relative = [counts[slot] / weight for slot, weight in enumerate(weights)]
    assert chosen == below[0] if below else relative[chosen] == pytest.approx(min(relative))


@given(WEIGHTS, COUNTS)
def test_the_limit_found_by_itself_always_leaves_one_below(weights: list[int], counts: list[int]) -> None:
    fleet = Fleet(weights)
    for slot in range(len(weights)):
        fleet.load(slot, counts[slot])
    mean = (sum(counts[:len(weights)]) + 1) / sum(weights)
    for chosen in (loads(fleet).listed(0.0), loads(fleet).threshold(0.0, PROBES)):
        assert counts[chosen] / weights[chosen] < 1.25 * mean


def test_refuses_what_cannot_be() -> None:
    board = Fleet([1]).board
    for slots, weights in (([], []), ([0], [1, 1]), ([0], [0]), ([0], [float("nan")])):
        with pytest.raises(ValueError, match="weight"):
            Loads(board, slots, weights)
    with pytest.raises(IndexError):
        Loads(board, [1 << 20], [1])
