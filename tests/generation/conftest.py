"""No process outlives its test; a control plane with real workers."""

import asyncio

import pytest

from lbd.generation import startup
from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from tests.children import no_child_is_left as no_child_is_left
from tests.generation.running import config


@pytest.fixture
async def running():
    tasks = Tasks(lambda name, error: None)
    lines = []
    plane = ControlPlane(tasks, "json", lines.append)
    first = config("a")
    try:
        async with asyncio.timeout(30):
            await startup.start(plane, first, startup.bind(plane, first))
        yield plane
    finally:
        async with asyncio.timeout(30):
            await startup.stop(plane, 0.0)
            await tasks.cancel()
