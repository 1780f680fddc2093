"""The order of addresses: reachable ones, then by the table of RFC 6724, then as DNS gave them."""

import pytest

from lbd.discovery.preference import preferred, reachable


@pytest.mark.parametrize(("addresses", "wanted"), [
    (["10.0.0.2", "10.0.0.1"], ["10.0.0.2", "10.0.0.1"]),
    (["10.0.0.1", "2001:db8::1"], ["2001:db8::1", "10.0.0.1"]),
    (["fd00::1", "2002::1", "10.0.0.1", "::1"], ["::1", "10.0.0.1", "2002::1", "fd00::1"]),
    (["127.0.0.1", "::1"], ["::1", "127.0.0.1"]),
    (["0.0.0.0", "::", "224.0.0.1", "ff02::1", "10.0.0.1"], ["10.0.0.1"])])
def test_the_order(addresses, wanted):
    assert preferred(addresses, lambda address: True) == wanted


def test_what_cannot_be_reached_comes_last():
    assert preferred(["2001:db8::1", "10.0.0.1"], lambda address: ":" not in address) == ["10.0.0.1", "2001:db8::1"]


def test_a_route_is_enough():
    assert reachable("127.0.0.1")
