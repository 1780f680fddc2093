"""Addresses as bytes to hash, cut to the bits that count."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbd.balance.network import network


@given(st.ip_addresses(), st.integers(1, 32), st.integers(1, 128))
def test_is_what_ipaddress_says(address: ipaddress.IPv4Address | ipaddress.IPv6Address, four: int, six: int) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    real = mapped or address
    expected = ipaddress.ip_network((real, four if real.version == 4 else six), strict=False).network_address.packed
    assert network(str(address).encode(), four, six) == expected


def test_a_mapped_address_is_one_of_ipv4() -> None:
    assert network(b"::ffff:192.0.2.9", 24, 64) == network(b"192.0.2.1", 24, 64) == b"\xc0\x00\x02\x00"


def test_spelling_and_zone_do_not_count() -> None:
    assert network(b"2001:DB8:0:0::1", 32, 128) == network(b"2001:db8::1", 32, 128)
    assert network(b"fe80::1%eth0", 32, 128) == network(b"fe80::1", 32, 128)


@pytest.mark.parametrize("text", [b"", b"unix:", b"1.2.3", b"x" * 1000, b"1.2.3.4\0", b"::1\0x"])
def test_what_is_no_address_stays(text: bytes) -> None:
    assert network(text, 32, 128) == text or b"\0" in text
