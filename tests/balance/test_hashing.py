"""Hashed servers: by name and not by place, backups beside, down and back, keys that are missing, reloads."""

from collections import Counter

import pytest

from lbd.backend.algorithm import Algorithm
from lbd.balance.consistent_hash import ConsistentHash
from lbd.balance.maglev import Maglev
from tests.balance.fleet import Fleet, Request, picks, shares, spread, urls

KINDS: list[type[Algorithm]] = [Maglev, ConsistentHash]


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_file_does_not_matter(kind: type[Algorithm]) -> None:
    fleet, turned = Fleet([1, 2, 3, 4]), Fleet([1, 2, 3, 4])
    turned.servers.reverse()
    assert picks(fleet.make(kind), urls(500)) == picks(turned.make(kind), urls(500))


@pytest.mark.parametrize("kind", KINDS)
def test_every_worker_chooses_the_same(kind: type[Algorithm]) -> None:
    fleet = Fleet([1, 2, 3, 4])
    assert picks(fleet.make(kind, worker=0, seed=1), urls(500)) == picks(fleet.make(kind, worker=3, seed=9), urls(500))


@pytest.mark.parametrize("kind", KINDS)
def test_the_keys_of_a_server_that_is_down_spread_and_come_back(kind: type[Algorithm]) -> None:
    fleet = Fleet([1] * 10)
    one = fleet.make(kind)
    before = picks(one, urls(5000))
    one.rebuild(fleet.servers[1:])
    after = picks(one, urls(5000))
    assert all(new == old for new, old in zip(after, before, strict=True) if old != "s0")
    got = Counter(new for new, old in zip(after, before, strict=True) if old == "s0")
    assert set(got) == {f"s{slot}" for slot in range(1, 10)}
    one.rebuild(fleet.servers)
    assert picks(one, urls(5000)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_moves_no_key_while_it_is_not_needed(kind: type[Algorithm]) -> None:
    plain, fleet = Fleet([1, 1, 1]), Fleet([1, 1, 1, 1])
    fleet.servers[3].update(fleet.servers[3].endpoint._replace(backup=True))
    one = fleet.make(kind)
    one.rebuild(fleet.servers[:3])
    assert picks(one, urls(1000)) == picks(plain.make(kind), urls(1000))
    one.rebuild(fleet.servers[3:])
    assert set(picks(one, urls(100))) == {"s3"}


@pytest.mark.parametrize("kind", KINDS)
def test_slow_start_moves_no_key(kind: type[Algorithm]) -> None:
    fleet = Fleet([1, 1, 1])
    one = fleet.make(kind)
    before = picks(one, urls(1000))
    fleet.servers[0].grow(0.1)
    one.rebuild(fleet.servers)
    assert picks(one, urls(1000)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_that_changes_moves_keys_to_or_from_that_server(kind: type[Algorithm]) -> None:
    fleet = Fleet([2, 2, 2])
    one = fleet.make(kind)
    before = picks(one, urls(6000))
    fleet.servers[0].weight = 4
    one.rebuild(fleet.servers)
    after = picks(one, urls(6000))
    assert Counter(after)["s0"] > Counter(before)["s0"] * 1.3
    moved = [new for new, old in zip(after, before, strict=True) if new != old]
    assert Counter(moved)["s0"] >= 0.8 * len(moved)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_without_a_key_go_anywhere_by_weight(kind: type[Algorithm]) -> None:
    found = shares(Fleet([3, 1]).make(kind, key="header:x-tenant"), 4000)
    assert abs(found["s0"] - 0.75) <= spread(0.75, 4000) + 0.05      # a ring's own shares are off by some per cent


def test_a_reload_takes_over_the_places_of_the_same_servers() -> None:
    fleet = Fleet([1, 1, 1])
    old = fleet.make(Maglev)
    new = Maglev(old.options, fleet.context())
    new.inherit(old)
    new.enroll(fleet.servers)
    new.rebuild(fleet.servers[1:])
    assert isinstance(old, Maglev)
    assert new.servers.table is old.servers.table
    assert "s0" not in picks(new, urls(500))


def test_servers_at_other_addresses_are_the_ones_chosen() -> None:
    fleet, moved = Fleet([1, 1]), Fleet([1, 1])
    one = fleet.make(Maglev)
    one.enroll(moved.servers)
    one.rebuild(moved.servers)
    assert one.pick(Request()) in moved.servers


def test_works_with_servers_that_were_not_enrolled() -> None:
    fleet = Fleet([1, 1, 1])
    one = Maglev(Maglev.Options(), fleet.context())
    one.rebuild(fleet.servers[:2])
    assert set(picks(one, urls(100))) == {"s0", "s1"}
