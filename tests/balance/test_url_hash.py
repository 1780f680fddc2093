"""URL hash: one server for one URL, with or without the query."""

from lbd.balance.url_hash import UrlHash
from tests.balance.fleet import Fleet, Request, picks, shares, spread, urls


def test_one_url_has_one_server_whoever_asks() -> None:
    one = Fleet([1] * 10).make(UrlHash)
    requests = [Request(b"/a?x=1", b"192.0.2.%d" % number) for number in range(50)]
    assert len(set(picks(one, requests))) == 1


def test_the_query_counts_unless_it_is_left_out() -> None:
    requests = [Request(b"/a?x=%d" % number) for number in range(200)]
    assert len(set(picks(Fleet([1] * 5).make(UrlHash), requests))) == 5
    assert len(set(picks(Fleet([1] * 5).make(UrlHash, query=False), requests))) == 1


def test_shares_are_by_weight() -> None:
    found = shares(Fleet([3, 1]).make(UrlHash), urls(20_000))
    assert abs(found["s0"] - 0.75) <= spread(0.75, 20_000) + 0.001
