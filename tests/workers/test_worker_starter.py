"""The start of workers: a worker of another version never serves."""

import pytest

from lbd.errors import LbdError
from tests.workers.owner import EMPTY


async def test_a_worker_of_another_layout_never_serves(make):
    fleet, owner = make(layout=1)
    with pytest.raises(LbdError, match="no worker could start"):
        await fleet.start(EMPTY, 1)
    assert owner.mismatches
