"""The overrides: which one counts, and when it ends."""

from dataclasses import replace

import pytest

from lbd.backend.snapshot import Endpoint
from lbd.config.runtime import Override
from lbd.generation.overrides import Overrides
from lbd.schema import ServerConfig
from lbd.schema.units import Address

MEMBER = Endpoint("app", "a@10.0.0.1", Address("10.0.0.1", 80), 3)


@pytest.fixture
def overrides():
    return Overrides()


def put(overrides, server, **settings):
    override = Override("app", server, **settings)
    return overrides.put_override(("app", server), override)


def test_nothing_is_changed_without_one(overrides):
    assert overrides.apply_to(MEMBER) is MEMBER
    put(overrides, "other", mode="drain")
    assert overrides.apply_to(MEMBER) is MEMBER


def test_the_nearer_one_counts_setting_by_setting(overrides):
    put(overrides, "", mode="maint", weight=5)
    put(overrides, "a", weight=7)
    put(overrides, "a@10.0.0.1", health="down")
    steered = overrides.apply_to(MEMBER)
    assert (steered.mode, steered.weight, steered.health, steered.slot) == ("maint", 7, "down", 3)


def test_servers_that_are_steered_apart_from_their_backend(overrides):
    put(overrides, "a", mode="ready", weight=7)
    put(overrides, "b", mode="drain")
    put(overrides, "c", weight=7)
    overrides.put_override(("other", "d"), Override("other", "d", mode="ready"))
    assert overrides.differing_servers("app", {"mode": "drain"}) == {"a": {"mode": "ready"}}
    assert overrides.differing_servers("app", {"mode": None, "weight": 8}) == {"a": {"weight": 7}, "c": {"weight": 7}}


@pytest.mark.parametrize(("server", "said", "files", "left"), [
    ("a", {}, "ready", False), ("a", {}, "drain", True), ("", {}, "ready", True),
    ("a", {"": "maint"}, "ready", True), ("a", {"": "ready"}, "maint", False),
    ("a", {"": "drain", "b": "ready"}, "ready", True), ("registered", {}, "drain", False),
    ("a@10.0.0.1", {}, "ready", False), ("a@10.0.0.1", {"a": "drain"}, "ready", True),
    ("a@10.0.0.1", {"": "drain", "a": "ready"}, "ready", False),
])
def test_ready_is_left_out_where_a_server_is_that_anyway(overrides, server, said, files, left):
    for other, mode in said.items():
        put(overrides, other, mode=mode)
    asked = Override("app", server, mode="ready", weight=3)
    servers = {"a": ServerConfig("10.0.0.1", mode=files)}
    assert overrides.without_idle_mode(asked, servers).settings == ({"mode": "ready"} if left else {}) | {"weight": 3}
    assert overrides.without_idle_mode(replace(asked, mode="drain"), servers).mode == "drain"


def test_a_name_that_leads_nowhere_is_never_up(overrides):
    put(overrides, "a", health="up", weight=0)
    steered = overrides.apply_to(Endpoint("app", "a", Address("a.example", 80), 0, health="down"))
    assert (steered.health, steered.weight) == ("down", 0)


def test_one_that_sets_nothing_is_none(overrides):
    assert put(overrides, "a", mode="drain") is None
    assert put(overrides, "a", reason="over").mode == "drain"
    assert len(overrides) == 0


class Clocks:
    """A wall clock that can be set, and a steady one."""

    def __init__(self):
        self.wall = 1000.0
        self.steady = 5.0

    def pass_by(self, seconds):
        self.wall += seconds
        self.steady += seconds

    def overrides(self):
        return Overrides(lambda: self.wall, lambda: self.steady)


def test_ends():
    clocks = Clocks()
    overrides = clocks.overrides()
    put(overrides, "a", mode="drain", until=1010.0)
    put(overrides, "b", mode="drain")
    clocks.pass_by(9.9)
    assert overrides.expired_targets() == []
    clocks.pass_by(0.2)
    assert overrides.expired_targets() == [("app", "a")]


@pytest.mark.parametrize("jump", [86400.0, -20000.0, 3650 * 86400.0, 5.0])
def test_a_wall_clock_that_is_set_makes_nothing_longer_or_shorter(jump):
    clocks = Clocks()
    overrides = clocks.overrides()
    put(overrides, "a", mode="drain", until=1060.0)
    put(overrides, "b", mode="drain")
    clocks.wall += jump
    assert overrides.expired_targets() == []
    assert overrides.override_of(("app", "a")).until == 1060.0 + jump
    assert [one.until for one in overrides] == [1060.0 + jump, 0.0]
    clocks.pass_by(59.0)
    assert overrides.expired_targets() == []
    clocks.pass_by(1.0)
    assert overrides.expired_targets() == [("app", "a")]


def test_what_was_kept_ends_by_the_wall_clock_of_the_start():
    clocks = Clocks()
    overrides = clocks.overrides()
    clocks.wall += 3600.0
    overrides.restore([Override("app", "a", mode="drain", until=clocks.wall + 1.0)])
    assert overrides.expired_targets() == []
    assert overrides.override_of(("app", "a")).until == clocks.wall + 1.0


def test_taken_over(overrides):
    overrides.restore([Override("app", "a", weight=3), Override("app", "b")])
    assert [one.server for one in overrides] == ["a"]
    assert overrides.override_of(("app", "a")).weight == 3
