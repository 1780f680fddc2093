"""The registry: who is in it, for how long, and who may be."""

import ipaddress

import pytest

from lbd.config.runtime import RegistrationRequest, SavedRegistration
from lbd.discovery.registry import Registry, refused
from lbd.schema import BackendConfig, Config, Registration, ServerConfig
from lbd.schema.units import Address

OWN = Address("10.0.0.1", 80)


def kept(name="b", host="10.0.0.2", **offer):
    return SavedRegistration("app", name, RegistrationRequest(Address(host, 80), **offer))


def config(**settings):
    settings.setdefault("registration", Registration())
    app = BackendConfig(servers={"a": ServerConfig(OWN)}, **settings)
    return Config(backends={"app": app, "other": BackendConfig()})


@pytest.fixture
def registry():
    made = Registry()
    assert made.put(kept(ttl=10.0, weight=4), 100.0)
    return made


def test_merged_with_the_files(registry):
    merged = registry.merged(config()).backends["app"].servers
    assert list(merged) == ["a", "b"]
    assert (merged["b"].address.host, merged["b"].weight) == ("10.0.0.2", 4)
    without = config(registration=None)
    assert registry.merged(without) is without


def test_a_repetition_is_no_news_but_keeps_it(registry):
    assert registry.due(109.9) == []
    assert not registry.put(kept(ttl=10.0, weight=4), 109.0)
    assert registry.due(118.9) == []
    assert registry.due(119.0) == [("app", "b")]
    assert registry.put(kept(ttl=10.0, weight=5), 119.0)


def test_one_that_leaves_may_come_back(registry):
    registry.of(("app", "b")).leaving = 105.0
    assert registry.leaving(("app", "b"))
    assert registry.due(200.0) == []
    assert registry.put(kept(ttl=10.0, weight=4), 106.0)
    assert not registry.leaving(("app", "b"))


def test_those_without_a_place(registry):
    assert registry.unwanted(config()) == []
    assert "takes no registrations" in registry.unwanted(config(registration=None))[0][1]
    registry.put(kept("a"), 1.0)
    assert registry.unwanted(config()) == [(("app", "a"), "the configuration has a server of that name now")]
    assert registry.merged(config()).backends["app"].servers["a"].address == OWN


def test_taken_over_with_full_time_and_removed(registry):
    registry.load([kept("x", ttl=5.0)], 50.0)
    assert (len(registry), registry.count("app"), registry.count("other")) == (1, 1, 0)
    assert registry.of(("app", "x")).left(52.0) == 3.0
    registry.remove(("app", "x"))
    registry.remove(("app", "x"))
    assert len(registry) == 0


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
    reason = refused(policy, Address(host, 80))
    assert bool(reason) == bool(words)
    assert words in reason


def test_unix_sockets_may_not():
    assert refused(Registration(), Address(path="/run/docker.sock"))
    assert refused(Registration(), Address(path="@docker"))
