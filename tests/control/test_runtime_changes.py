"""Runtime changes before there is anything to change."""

import pytest

from lbd.errors import NotReady


async def test_nothing_before_the_first_generation(world):
    world.plane.generation = None
    world.changes.tick()
    with pytest.raises(NotReady, match="still starting"):
        world.changes.describe_backends()
