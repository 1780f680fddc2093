"""Registrations: acknowledged, repeated, refused, drained and ended."""

import asyncio

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.control import state_file
from lbd.errors import Conflict, Forbidden, InvalidChange, LbdError, UnknownTarget
from lbd.schema import Config
from lbd.schema.units import Address
from tests.control.world import CONFIG, OFFER


async def test_a_registration_is_kept_and_repeated(world):
    assert await world.changes.register("app", "b", OFFER, "me")
    assert not await world.changes.register("app", "b", OFFER, "me")
    assert await world.changes.register("app", "b", {**OFFER, "weight": 2}, "me")
    await world.idle()
    assert world.plane.regrouped >= 1
    assert world.kept()["registrations"] == [
        {"backend": "app", "server": "b", "who": "me", "offer": {"address": "10.0.0.2:80", "weight": 2, "ttl": "10s"}}]


@pytest.mark.parametrize(("backend", "server", "offer", "error"), [
    ("none", "b", OFFER, UnknownTarget), ("closed", "b", OFFER, Forbidden), ("app", "a", OFFER, Conflict),
    ("app", "../b", OFFER, InvalidChange), ("app", "b", {"address": "127.0.0.1:80"}, Forbidden),
    ("app", "b", {"address": "x.example:80"}, Forbidden)])
async def test_refused_registrations(world, backend, server, offer, error):
    with pytest.raises(error):
        await world.changes.register(backend, server, offer, "me")
    assert len(world.plane.registry) == 0


async def test_not_more_than_the_policy_allows(world):
    for name in "bc":
        await world.changes.register("app", name, OFFER, "me")
    with pytest.raises(Conflict, match="no more may be"):
        await world.changes.register("app", "d", OFFER, "me")
    assert not await world.changes.register("app", "c", OFFER, "me")


async def test_it_drains_before_it_goes(world):
    patient = Config(backends=CONFIG.backends)
    world.plane.generation = Generation(1, patient, world.plane.generation.endpoints, {}, {}, {})
    await world.changes.register("app", "b", OFFER, "me")
    world.plane.flying = 1
    assert not await world.changes.deregister("app", "b", 0.0, "me")
    assert world.plane.registry.is_leaving(("app", "b"))
    assert "registrations" not in world.kept()   # a restart does not bring it back
    world.plane.flying = 0
    async with asyncio.timeout(20):
        assert await world.changes.deregister("app", "b", 10.0, "me")
    with pytest.raises(UnknownTarget, match="no server"):
        await world.changes.deregister("app", "b", 0.0, "me")
    with pytest.raises(Conflict, match="one of the configuration"):
        await world.changes.deregister("app", "a", 0.0, "me")


async def test_one_that_comes_back_stays(world):
    await world.changes.register("app", "b", OFFER, "me")
    await world.changes.deregister("app", "b", 0.0, "me")
    assert await world.changes.register("app", "b", OFFER, "me")
    await world.idle()
    assert world.plane.registry.entry_of(("app", "b")) is not None


async def test_silence_ends_a_registration(world, monkeypatch):
    await world.changes.register("app", "b", OFFER, "me")
    world.plane.registry.entry_of(("app", "b")).heard -= 11.0
    world.changes.tick()
    await world.idle()
    assert len(world.plane.registry) == 0
    assert "registrations" not in world.kept()


async def test_one_that_went_may_register_again_before_the_workers_have_forgotten_it(world):
    await world.changes.register("app", "b", OFFER, "me")
    merged = world.plane.registry.merged_into(CONFIG)
    await world.changes.deregister("app", "b", 0.0, "me")
    await world.idle()
    world.plane.generation = Generation(1, merged, world.plane.generation.endpoints, {}, {}, {})
    assert await world.changes.register("app", "b", OFFER, "me")


async def test_one_that_is_on_its_way_out_is_not_one_of_the_files(world):
    await world.changes.register("app", "b", OFFER, "me")
    merged = world.plane.registry.merged_into(CONFIG)
    await world.changes.deregister("app", "b", 0.0, "me")
    await world.idle()
    endpoints = {**world.plane.generation.endpoints, "app": (Endpoint("app", "b", Address("10.0.0.2", 80), 1),)}
    world.plane.generation = Generation(1, merged, endpoints, {}, {}, {})
    assert not await world.changes.deregister("app", "b", 0.0, "me")   # the workers still have it


async def test_a_heartbeat_during_a_registration_that_fails_is_refused_with_it(world, monkeypatch):
    failures = [OSError(28, "No space left on device")]

    def once_full(path, text):
        if failures:
            raise failures.pop()

    monkeypatch.setattr(state_file, "_write", once_full)
    answers = await asyncio.gather(*(world.changes.register("app", "b", OFFER, "me") for _ in range(2)),
                                   return_exceptions=True)
    assert [isinstance(answer, LbdError) for answer in answers] == [True, True]
    assert len(world.plane.registry) == 0
