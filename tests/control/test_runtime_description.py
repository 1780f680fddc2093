"""The description of runtime changes: who changed what, and who registered."""

import pytest

from lbd.errors import UnknownTarget
from tests.control.world import OFFER


async def test_an_override_and_a_registration_are_described(world):
    await world.changes.override("app", "a", {"mode": "drain", "reason": "disk"}, "me")
    await world.changes.register("app", "b", {**OFFER, "tags": ["x"]}, "them")
    described = {"app": {"servers": {"a": {}, "b": {}}}}
    world.changes.annotate(described)
    app = described["app"]
    assert app["override"] is None
    assert (app["servers"]["a"]["override"]["mode"], app["servers"]["a"]["registration"]) == ("drain", None)
    registration = app["servers"]["b"]["registration"]
    assert 0.0 < registration.pop("expires_in_seconds") <= 10.0
    assert registration == {"ttl_seconds": 10.0, "tags": ["x"], "who": "them", "leaving": False}
    world.plane.registry.entry_of(("app", "b")).heard -= 11.0
    world.changes.annotate(described)
    assert app["servers"]["b"]["registration"]["expires_in_seconds"] == 0.0


async def test_an_override_has_its_moments(world):
    await world.changes.override("app", "", {"weight": 3, "for": "1m"}, "me")
    assert world.changes.describe_overrides() == [{
        "backend": "app", "server": "", "weight": 3, "who": "me", "reason": "", "at": "1970-01-01T00:16:40Z",
        "until": "1970-01-01T00:17:40Z"}]


async def test_backends_that_are_not_there(world):
    with pytest.raises(UnknownTarget, match="there is no backend"):
        world.changes.describe_backend("none")
