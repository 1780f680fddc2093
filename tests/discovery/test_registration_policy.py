"""The policy for registrations: addresses that a server may register."""

import ipaddress

import pytest

from lbd.discovery.registration_policy import refusal_of
from lbd.schema import Registration
from lbd.schema.units import Address


@pytest.mark.parametrize(("host", "networks", "words"), [
    ("10.1.2.3", [], ""), ("2001:db8::1", [], ""), ("127.0.0.1", [], "loopback"), ("::1", [], "loopback"),
    ("169.254.169.254", [], "link-local"), ("::ffff:169.254.169.254", [], "link-local"), ("224.0.0.1", [], "multicast"),
    ("fe80::1", [], "link-local"), ("::ffff:127.0.0.1", [], "loopback"), ("fe80::1%eth0", [], "zone"),
    ("metadata.example", [], "not an IP"), ("127.0.0.1", ["127.0.0.0/8"], ""), ("10.1.2.3", ["10.1.0.0/16"], ""),
    ("10.2.2.3", ["10.1.0.0/16"], "none of the `networks`"), ("::ffff:10.1.2.3", ["10.1.0.0/16"], ""),
    ("fd00:ec2::254", [], "metadata"), ("fd20:ce::254", [], "metadata"), ("100.100.100.200", [], "metadata"),
    ("192.0.0.192", [], "metadata"), ("::ffff:100.100.100.200", [], "metadata"), ("168.63.129.16", [], "metadata"),
    ("fd00:42::42", [], "metadata"), ("fd00:ec2::254", ["fd00:ec2::/32"], ""), ("fd20:ce::253", [], ""),
    ("2002:7f00:1::1", [], "loopback"), ("2002:a9fe:a9fe::", [], "link-local"), ("2002:6464:64c8::", [], "metadata"),
    ("2002:a01:203::1", [], ""), ("2001:0:7f00:1::1", [], "loopback"), ("2001:0:a01:203:0:0:80ff:fffe", [], "loopback"),
    ("64:ff9b::7f00:1", [], "reserved"), ("64:ff9b:1::a9fe:a9fe", [], "reserved"), ("::127.0.0.1", [], "reserved"),
    ("64:ff9b::a01:203", ["64:ff9b::/96"], ""), ("::", [], "unspecified"), ("0.0.0.0", [], "unspecified"),
    ("0.1.2.3", [], "unspecified"), ("::ffff:0.0.0.0", [], "unspecified"), ("255.255.255.255", [], "reserved"),
    ("ff02::1", [], "multicast")])
def test_addresses(host, networks, words):
    policy = Registration(tuple(map(ipaddress.ip_network, networks)))
    reason = refusal_of(policy, Address(host, 80))
    assert bool(reason) == bool(words)
    assert words in reason


def test_unix_sockets_may_not():
    assert refusal_of(Registration(), Address(path="/run/docker.sock"))
    assert refusal_of(Registration(), Address(path="@docker"))
