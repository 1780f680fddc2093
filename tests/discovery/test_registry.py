"""The registry: its servers, and how long they stay."""

import pytest

from lbd.config.runtime import RegistrationRequest, SavedRegistration
from lbd.discovery.registry import Registry
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
    assert made.register(kept(ttl=10.0, weight=4), 100.0)
    return made


def test_merged_with_the_files(registry):
    merged = registry.merged_into(config()).backends["app"].servers
    assert list(merged) == ["a", "b"]
    assert (merged["b"].address.host, merged["b"].weight) == ("10.0.0.2", 4)
    without = config(registration=None)
    assert registry.merged_into(without) is without


def test_a_repetition_is_no_news_but_keeps_it(registry):
    assert registry.expired(109.9) == []
    assert not registry.register(kept(ttl=10.0, weight=4), 109.0)
    assert registry.expired(118.9) == []
    assert registry.expired(119.0) == [("app", "b")]
    assert registry.register(kept(ttl=10.0, weight=5), 119.0)


def test_one_that_leaves_may_come_back(registry):
    registry.entry_of(("app", "b")).leaving = 105.0
    assert registry.is_leaving(("app", "b"))
    assert registry.expired(200.0) == []
    assert registry.register(kept(ttl=10.0, weight=4), 106.0)
    assert not registry.is_leaving(("app", "b"))


def test_those_without_a_place(registry):
    assert registry.unwanted(config()) == []
    assert "takes no registrations" in registry.unwanted(config(registration=None))[0][1]
    registry.register(kept("a"), 1.0)
    assert registry.unwanted(config()) == [(("app", "a"), "the configuration has a server of that name now")]
    assert registry.merged_into(config()).backends["app"].servers["a"].address == OWN


def test_taken_over_with_full_time_and_removed(registry):
    registry.restore([kept("x", ttl=5.0)], 50.0)
    assert (len(registry), registry.count_of("app"), registry.count_of("other")) == (1, 1, 0)
    assert registry.entry_of(("app", "x")).seconds_left(52.0) == 3.0
    registry.remove(("app", "x"))
    registry.remove(("app", "x"))
    assert len(registry) == 0
