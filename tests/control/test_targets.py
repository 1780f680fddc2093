"""The targets: found in the files, among the registered servers and in the workers, or refused with a hint."""

import pytest

from lbd.control.targets import Targets
from lbd.errors import NotReady, UnknownTarget
from tests.control.world import OFFER


@pytest.fixture
def targets(world):
    return Targets(world.plane)


async def test_servers_of_the_files_and_registered_ones(world, targets):
    targets.require_server("app", "a")
    with pytest.raises(UnknownTarget, match='backend "app" has no server "b"'):
        targets.require_server("app", "b")
    await world.changes.register("app", "b", OFFER, "me")
    targets.require_server("app", "b")


def test_a_name_that_is_nearly_right_gets_a_hint(targets):
    assert targets.require_backend("app").registration is not None
    with pytest.raises(UnknownTarget, match='did you mean "app"'):
        targets.require_backend("ap")


async def test_a_backend_is_served_by_a_usable_server(world, targets):
    assert targets.is_served("app")
    await world.changes.override("app", "a", {"mode": "maint"}, "me")
    assert not targets.is_served("app")


def test_nothing_is_there_before_the_first_generation(world, targets):
    world.plane.generation = None
    with pytest.raises(NotReady, match="still starting"):
        targets.require_backend("app")
