"""Garbage is collected in quiet moments only."""

import gc

import pytest

from lbd.process.garbage import FULL, PATIENCE, Garbage


class Loop:
    """A loop that only takes notes."""

    def call_later(self, delay, callback):
        return None


@pytest.fixture
def garbage():
    yield Garbage(Loop())
    gc.unfreeze()
    gc.enable()


def test_it_is_switched_off(garbage):
    assert not gc.isenabled()


def test_quiet_moments_collect_and_now_and_then_everything(garbage):
    assert [garbage.judge(0.0) for _ in range(FULL)] == [1] * (FULL - 1) + [2]


def test_a_busy_worker_is_left_alone_for_long(garbage):
    assert [garbage.judge(0.9) for _ in range(PATIENCE)] == [None] * (PATIENCE - 1) + [0]


def test_what_lives_for_ever_is_frozen(garbage):
    garbage.freeze()
    assert gc.get_freeze_count() > 0
