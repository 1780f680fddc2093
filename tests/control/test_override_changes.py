"""Overrides: set, cut, warned of, refused, and ended by themselves."""

import pytest

from lbd.errors import ConfigError, InvalidChange, UnknownTarget


async def test_an_override_is_in_force_and_kept(world):
    await world.changes.override("app", "a", {"mode": "drain", "reason": "disk", "for": "1m"}, "me")
    assert world.plane.told == 1
    assert world.changes.describe_overrides() == [{
        "backend": "app", "server": "a", "mode": "drain", "who": "me", "reason": "disk", "at": "1970-01-01T00:16:40Z",
        "until": "1970-01-01T00:17:40Z"}]
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]
    await world.changes.override("app", "a", {"weight": 3}, "me")
    assert world.plane.overrides.override_of(("app", "a")).settings == {"mode": "drain", "weight": 3}
    await world.changes.override("app", "a", {"weight": None, "mode": None}, "me")
    assert world.changes.describe_overrides() == []


async def test_a_cut_is_planned_and_called_off(world):
    cuts = world.plane.cuts
    await world.changes.override("app", "a", {"mode": "maint", "cut": "30s", "reason": "disk", "for": "1m"}, "me")
    assert cuts.planned() == [(("app", "a"), 130.0)]
    assert "cut" not in world.kept()["overrides"][0]
    await world.changes.override("app", "", {"cut": "0s"}, "me")
    assert cuts.planned() == [(("app", "a"), 100.0)]
    override = world.plane.overrides.override_of(("app", "a"))
    assert (override.reason, override.until) == ("disk", world.now + 60.0)      # as it was
    assert world.plane.overrides.override_of(("app", "")) is None
    await world.changes.override("app", "a", {"mode": "maint", "cut": None}, "me")
    assert cuts.planned() == []
    await world.changes.override("app", "a", {"mode": "drain", "cut": "1s"}, "me")
    await world.changes.override("app", "a", {"mode": "ready"}, "me")
    assert cuts.planned() == []


@pytest.mark.parametrize("wishes", [{"cut": "0s"}, {"mode": "ready", "cut": "0s"}, {"weight": 0, "cut": "30s"}])
@pytest.mark.parametrize("server", ["a", ""])
async def test_what_takes_requests_is_not_cut(world, wishes, server):
    with pytest.raises(InvalidChange, match="takes requests; give mode drain or maint with it"):
        await world.changes.override("app", server, wishes, "me")
    assert (world.changes.describe_overrides(), world.plane.cuts.planned()) == ([], [])


async def test_workers_from_before_an_upgrade_cannot_be_told(world):
    assert "upgrade" not in await world.changes.override("app", "a", {"mode": "maint", "cut": "0s"}, "me")
    world.plane.workers = {4711: 3}
    assert "before the upgrade" in await world.changes.override("app", "a", {"mode": "maint", "cut": "0s"}, "me")
    assert await world.changes.override("app", "a", {"cut": None}, "me") == ""


async def test_a_backend_is_cut_without_the_servers_that_stay(world):
    await world.changes.override("closed", "", {"mode": "maint"}, "me")
    await world.changes.override("closed", "a", {"mode": "ready"}, "me")
    with pytest.raises(InvalidChange, match="closed takes requests"):
        await world.changes.override("closed", "", {"mode": "maint", "cut": "1s"}, "me")
    await world.changes.override("app", "", {"mode": "maint", "cut": "1s"}, "me")
    assert world.plane.cuts.planned() == [(("app", "a"), 101.0)]


@pytest.mark.parametrize("server", ["a", ""])
async def test_the_last_server_goes_with_a_word(world, server):
    assert await world.changes.override("app", server, {"weight": 5}, "me") == ""
    assert await world.changes.override("app", server, {"mode": "drain"}, "me") == "no server of app is left"
    assert await world.changes.override("app", server, {"mode": "maint"}, "me") == ""     # there was none any more
    assert await world.changes.override("app", server, {"mode": "ready"}, "me") == ""
    assert await world.changes.override("app", server, {"mode": "maint"}, "me") == "no server of app is left"


async def test_servers_that_do_not_follow_their_backend_are_named(world):
    await world.changes.override("app", "a", {"weight": 7}, "me")
    assert await world.changes.override("app", "", {"weight": 5}, "me") == (
        "overrides of their own keep a (weight 7) as they are; steer these by name, or end those with "
        "lbd overrides BACKEND/SERVER --clear")
    assert await world.changes.override("app", "", {"weight": 7}, "me") == ""


async def test_a_drain_that_is_over_leaves_nothing(world):
    await world.changes.override("app", "a", {"mode": "drain"}, "me")
    await world.changes.override("app", "a", {"mode": "ready"}, "me")
    assert world.changes.describe_overrides() == []
    await world.changes.override("app", "", {"mode": "drain"}, "me")
    await world.changes.override("app", "a", {"mode": "ready"}, "me")        # which its backend is not
    assert [one["mode"] for one in world.changes.describe_overrides()] == ["drain", "ready"]


@pytest.mark.parametrize(("backend", "server", "wishes", "error", "words"), [
    ("none", "a", {"mode": "drain"}, UnknownTarget, "there is no backend"),
    ("app", "x", {"mode": "drain"}, UnknownTarget, "no server"),
    ("app", "a", {}, InvalidChange, "nothing to change"), ("app", "a", {"mode": "x"}, ConfigError, "mode")])
async def test_refused_changes(world, backend, server, wishes, error, words):
    with pytest.raises(error, match=words):
        await world.changes.override(backend, server, wishes, "me")
    assert world.plane.told == 0


async def test_overrides_end(world):
    await world.changes.override("app", "a", {"mode": "drain", "for": "5s"}, "me")
    await world.changes.override("app", "", {"weight": 2}, "me")
    await world.changes.override("closed", "a", {"weight": 2}, "me")
    world.now += 5.0
    world.changes.tick()
    await world.idle()
    assert [one["backend"] for one in world.kept()["overrides"]] == ["app", "closed"]
    assert await world.changes.end_overrides("app", "", "me") == 1
    assert await world.changes.end_overrides("", "", "me") == 1
    assert await world.changes.end_overrides("", "", "me") == 0
    assert world.kept()["overrides"] == []


async def test_a_worker_that_has_not_heard_is_named(world):
    world.plane.late = [17]
    assert await world.changes.override("app", "a", {"mode": "drain"}, "me") == (
        "no server of app is left; worker 17 has not heard of it yet")
