"""Random two choices: the less loaded of two different servers, by the loads of all workers."""

from collections import Counter

from lbd.balance.random_two_choices import RandomTwoChoices
from tests.balance.fleet import Fleet, Request, picks, shares, spread


def test_of_two_servers_always_the_less_loaded() -> None:
    fleet = Fleet([1, 1])
    fleet.load(0, 1, lane=3)
    assert set(picks(fleet.make(RandomTwoChoices), 200)) == {"s1"}


def test_the_most_loaded_is_never_chosen() -> None:
    fleet = Fleet([1] * 5)
    for slot in range(5):
        fleet.load(slot, slot)
    found = Counter(picks(fleet.make(RandomTwoChoices), 5000))
    assert "s4" not in found
    assert found["s0"] > found["s1"] > found["s2"] > found["s3"] > 0


def test_idle_servers_are_chosen_by_weight() -> None:
    found = shares(Fleet([3, 1, 1]).make(RandomTwoChoices), 20_000)
    assert abs(found["s0"] - 0.6) <= spread(0.6, 20_000)


def test_long_requests_of_four_workers_spread_evenly() -> None:
    fleet = Fleet([1] * 10)
    workers = [fleet.make(RandomTwoChoices, worker=worker, seed=worker) for worker in range(4)]
    for turn in range(1000):
        server = workers[turn % 4].pick(Request())
        fleet.load(server.slot, 1, lane=turn % 4)
    assert max(fleet.loads()) - min(fleet.loads()) <= 8
