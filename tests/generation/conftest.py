"""No process outlives its test; a control plane with real workers."""

import asyncio
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lbd.generation import startup
from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from lbd.workers import child_process
from tests.children import no_child_is_left as no_child_is_left
from tests.generation.running import config
from tests.generation.worker_template import worker_template
from tests.system.forked_worker import POSSIBLE


@pytest.fixture(scope="session")
def template() -> Iterator[Any]:
    if not POSSIBLE:
        yield subprocess
        return
    with worker_template() as found:
        yield found


@pytest.fixture(autouse=True)
def _workers_are_forked(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports are most of what the start of one costs."""
    monkeypatch.setattr(child_process, "subprocess", template)


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
