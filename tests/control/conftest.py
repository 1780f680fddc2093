"""Runtime changes to try; no process outlives its test."""

import pytest

from lbd.control import registrations
from lbd.net.tasks import Tasks
from tests.children import no_child_is_left as no_child_is_left
from tests.control.world import World


@pytest.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.setattr(registrations, "LOOK", 0.0)
    world = World(tmp_path, Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}")))
    yield world
    await world.tasks.cancel()
    world.changes.close()
