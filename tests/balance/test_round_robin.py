"""Tests of lbd.balance.round_robin: in turn over all workers, the position kept over reloads and changes of the set."""

from lbd.balance.round_robin import RoundRobin
from tests.balance.fleet import Fleet, Request, picks


def test_takes_turns_in_the_order_of_the_file_whatever_the_weights() -> None:
    one = Fleet([5, 1, 1]).make(RoundRobin)
    assert picks(one, 7) == ["s0", "s1", "s2", "s0", "s1", "s2", "s0"]


def test_workers_take_turns_together() -> None:
    fleet = Fleet([1, 1, 1])
    workers = [fleet.make(RoundRobin, worker) for worker in (0, 1, 2, 1, 0)]
    assert [worker.pick(Request()).name for worker in workers] == ["s0", "s1", "s2", "s0", "s1"]


def test_a_reload_keeps_the_position() -> None:
    fleet = Fleet([1, 1, 1])
    old = fleet.make(RoundRobin)
    assert picks(old, 2) == ["s0", "s1"]
    new = fleet.make(RoundRobin)
    new.inherit(old)
    assert picks(new, 3) == ["s2", "s0", "s1"]


def test_servers_that_remain_share_evenly_when_one_goes_and_comes_back() -> None:
    fleet = Fleet([1, 1, 1])
    one, other = fleet.make(RoundRobin), fleet.make(RoundRobin, 1)
    picks(one, 4)
    for algorithm in (one, other):
        algorithm.rebuild([fleet.servers[0], fleet.servers[2]])
    assert sorted(picks(one, 2) + picks(other, 2)) == ["s0", "s0", "s2", "s2"]
    one.rebuild(fleet.servers)
    assert sorted(picks(one, 3)) == ["s0", "s1", "s2"]


def test_without_a_backend_of_the_scoreboard_it_goes_on_by_itself() -> None:
    fleet = Fleet([1, 1, 1])
    context = fleet.context()
    object.__setattr__(context, "row", None)
    old, new = RoundRobin(None, context), RoundRobin(None, context)
    old.rebuild(fleet.servers)
    assert picks(old, 2) == ["s0", "s1"]
    new.inherit(old)
    new.rebuild(fleet.servers[1:])
    assert picks(new, 3) == ["s1", "s2", "s1"]


def test_a_preview_takes_no_turn() -> None:
    one = Fleet([1, 1]).make(RoundRobin)
    assert [one.preview(Request()).name for _ in range(3)] == ["s0"] * 3
    assert picks(one, 2) == ["s0", "s1"]
