"""The rollout: what no worker prepares in time is not put in force."""

import signal

import pytest

from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.schema import Config
from lbd.workers import rollout
from tests.workers.owner import EMPTY


async def test_a_prepare_that_takes_too_long_is_refused(make, monkeypatch):
    monkeypatch.setattr(rollout, "PREPARE", 0.05)
    fleet, _ = make()
    await fleet.start(EMPTY, 1)
    (process,) = fleet.serving()
    process.kill(signal.SIGSTOP)
    with pytest.raises(LbdError, match=r"did not prepare generation 2 within 0\.05 s"):
        await fleet.prepare(Generation(2, Config(), {}, {}, {}, {}))
    process.kill(signal.SIGCONT)
    assert fleet.generation is EMPTY
