"""Source IP hash: one server for a client or its network."""

from lbd.balance.source_ip_hash import SourceIpHash
from tests.balance.fleet import Fleet, Request, picks, shares, spread, urls


def sources(*texts: str) -> list[Request]:
    return [Request(source=text.encode()) for text in texts]


def test_one_client_has_one_server_whatever_it_asks_for() -> None:
    one = Fleet([1] * 10).make(SourceIpHash)
    assert len(set(picks(one, [Request(request.target) for request in urls(50)]))) == 1


def test_a_mapped_address_is_the_ipv4_address() -> None:
    one = Fleet([1] * 50).make(SourceIpHash)
    for number in range(20):
        assert len(set(picks(one, sources(f"192.0.2.{number}", f"::ffff:192.0.2.{number}")))) == 1


def test_networks_count_as_one_client() -> None:
    one = Fleet([1] * 50).make(SourceIpHash, ipv4_prefix=24, ipv6_prefix=48)
    assert len(set(picks(one, sources("192.0.2.1", "192.0.2.99", "192.0.2.255")))) == 1
    assert len(set(picks(one, sources("2001:db8:1:2::1", "2001:db8:1:ffff::9")))) == 1
    assert len(set(picks(one, sources(*(f"192.0.{number}.1" for number in range(100)))))) > 30


def test_shares_are_by_weight() -> None:
    found = shares(Fleet([3, 1]).make(SourceIpHash), urls(20_000))
    assert abs(found["s0"] - 0.75) <= spread(0.75, 20_000) + 0.001


def test_clients_without_an_address_go_anywhere() -> None:
    assert len(set(picks(Fleet([1] * 5).make(SourceIpHash), sources(*[""] * 100)))) == 5
