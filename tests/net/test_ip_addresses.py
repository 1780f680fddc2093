"""IPv4-mapped addresses: undone, and nothing else is."""

from ipaddress import ip_address

import pytest

from lbd.net.ip_addresses import unmapped, unmapped_text


@pytest.mark.parametrize(("address", "plain"), [
    ("::ffff:10.0.0.1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("::ffff:0:a00:1", "::ffff:0:a00:1"),
    ("64:ff9b::a00:1", "64:ff9b::a00:1")])
def test_only_mapped_addresses_change(address, plain):
    assert unmapped(ip_address(address)) == ip_address(plain)
    assert unmapped_text(address) == plain


def test_a_zone_stays():
    assert unmapped_text("fe80::1%eth0") == "fe80::1%eth0"
