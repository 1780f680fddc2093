"""Maglev: any key, shares by weight."""

from lbd.balance.maglev import Maglev
from tests.balance.fleet import Fleet, Request, picks, shares, spread, urls


def test_shares_are_by_weight() -> None:
    found = shares(Fleet([5, 1, 1]).make(Maglev), urls(20_000))
    assert abs(found["s0"] - 5 / 7) <= spread(5 / 7, 20_000) + 0.001


def test_the_key_decides_and_nothing_else() -> None:
    one = Fleet([1] * 20).make(Maglev, key="header:x-tenant")
    assert len(set(picks(one, [Request(request.target, fields={b"x-tenant": b"t7"}) for request in urls(50)]))) == 1
    assert len(set(picks(one, [Request(fields={b"x-tenant": b"t%d" % number}) for number in range(500)]))) == 20
