"""No process outlives its test; a control plane with real workers."""

import asyncio
from collections.abc import Iterator

import pytest

from lbd.generation import startup
from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from tests.children import no_child_is_left as no_child_is_left
from tests.generation.running import config
from tests.generation.worker_template import worker_template


@pytest.fixture(scope="package", autouse=True)
def forked_workers() -> Iterator[None]:
    """Workers are forked: imports are most of what the start of one costs."""
    with worker_template():
        yield


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
