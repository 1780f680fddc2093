"""The operations that need no worker: readiness, and what is refused before lbd serves."""

import pytest

from lbd.control.lifecycle import READY, Lifecycle
from lbd.control.operations import Operations
from lbd.errors import LbdError, NotReady
from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks


@pytest.fixture
async def life():
    return Lifecycle()


@pytest.fixture
async def operations(life):
    plane = ControlPlane(Tasks(lambda name, error: None), "json", print)
    return Operations(life, plane, None, None, None, None, None)


async def test_readiness_is_that_of_the_lifecycle(life, operations):
    assert operations.ready == "starting"
    life.state = READY
    assert operations.ready == ""


async def test_before_a_worker_serves(operations):
    operations.tick()
    with pytest.raises(LbdError, match="no worker serves"):
        operations.explain("GET", "http://a/", (), "127.0.0.1", "")
    for change in (operations.reload(force=False), operations.rollback(), operations.upgrade()):
        with pytest.raises(NotReady, match="lbd is starting"):
            await change
