"""Least connections: the least (in flight + 1) / weight, over all workers."""

from lbd.balance.least_connections import LeastConnections
from tests.balance.fleet import Fleet, Request, picks


def test_idle_servers_take_turns() -> None:
    assert picks(Fleet([1, 1, 1]).make(LeastConnections), 6) == ["s0", "s1", "s2"] * 2


def test_what_other_workers_sent_counts() -> None:
    fleet = Fleet([1, 1])
    fleet.load(0, 3, lane=2)
    assert set(picks(fleet.make(LeastConnections), 10)) == {"s1"}


def test_long_requests_of_four_workers_differ_by_one_at_most() -> None:
    fleet = Fleet([1, 1, 1])
    workers = [fleet.make(LeastConnections, worker=worker) for worker in range(4)]
    for turn in range(400):
        server = workers[turn % 4].pick(Request())
        fleet.load(server.slot, 1, lane=turn % 4)
        assert max(fleet.loads()) - min(fleet.loads()) <= 1


def test_loads_follow_the_weights() -> None:
    fleet = Fleet([5, 1, 2])
    algorithm = fleet.make(LeastConnections)
    for _ in range(800):
        fleet.load(algorithm.pick(Request()).slot, 1)
    assert all(abs(count - wanted) <= 1 for count, wanted in zip(fleet.loads(), (500, 100, 200), strict=True))


def test_a_weight_that_grows_counts() -> None:
    fleet = Fleet([1, 1])
    fleet.servers[1].grow(0.1)
    algorithm = fleet.make(LeastConnections)
    for _ in range(110):
        fleet.load(algorithm.pick(Request()).slot, 1)
    assert fleet.loads() == [100, 10]
