"""First: servers fill up one after another."""

from lbd.balance.first import First
from tests.balance.fleet import Fleet, Request, picks


def test_the_first_without_a_bound_takes_everything() -> None:
    fleet = Fleet([1, 5])
    fleet.load(0, 1000)
    assert set(picks(fleet.make(First), 10)) == {"s0"}


def test_the_next_is_used_when_one_is_full_in_all_workers_together() -> None:
    fleet = Fleet([1, 1, 1])
    for server in fleet.servers:
        server.max_conns = 4
    algorithm = fleet.make(First)
    chosen = []
    for turn in range(12):
        server = algorithm.pick(Request())
        fleet.load(server.slot, 1, lane=turn % 4)
        chosen.append(server.name)
    assert chosen == ["s0"] * 4 + ["s1"] * 4 + ["s2"] * 4
    fleet.load(1, -1, lane=2)
    assert algorithm.pick(Request()).name == "s1"


def test_when_all_are_full_the_fullest_gets_no_more() -> None:
    fleet = Fleet([1, 1])
    fleet.servers[0].max_conns, fleet.servers[1].max_conns = 2, 10
    fleet.load(0, 4)
    fleet.load(1, 11)
    assert picks(fleet.make(First), 1) == ["s1"]
