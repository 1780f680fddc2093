"""The confirmation: one trial at a time, until it is confirmed, over, or goes wrong."""

import pytest

from lbd.errors import LbdError
from lbd.reload.confirmation import Confirmation
from lbd.reload.trial import Sample


class Sampler:
    """Figures as the test says."""

    def __init__(self):
        self.now = Sample(usable={"app": 2})

    def sample(self):
        return self.now


@pytest.fixture
async def sampler():
    return Sampler()


async def test_a_trial_keeps_others_out_until_it_ends(sampler):
    confirmation = Confirmation(sampler)
    confirmation.require_no_trial()
    assert confirmation.seconds_left is None
    confirmation.begin_trial(3, 60.0, Sample())
    assert 0 < confirmation.seconds_left <= 60.0
    with pytest.raises(LbdError, match="generation 3 waits to be confirmed"):
        confirmation.require_no_trial()
    trial = confirmation.end_trial()
    confirmation.require_no_trial()
    confirmation.resume_trial(trial)
    assert confirmation.trial is trial


async def test_only_servers_of_the_new_generation_can_be_lost(sampler):
    confirmation = Confirmation(sampler)
    confirmation.begin_trial(3, 60.0, Sample(usable={"gone": 5, "app": 2}))
    assert confirmation.measure() == ""
    sampler.now = Sample(usable={"app": 1})
    assert "1 usable server are left of 2" in confirmation.measure().replace("server is", "server are")


async def test_time_ends_it(sampler):
    confirmation = Confirmation(sampler)
    assert confirmation.measure() == ""
    confirmation.begin_trial(3, 0.0, Sample())
    assert confirmation.measure() == "not confirmed in time"
