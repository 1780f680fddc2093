"""Garbage is collected in quiet moments only."""

import gc
import weakref

import pytest

from lbd.process.garbage import FULL, PATIENCE, PILE, Garbage


class Loop:
    """A loop that only takes notes."""

    def call_later(self, delay, callback):
        return None


@pytest.fixture
def garbage():
    made = Garbage(Loop())
    made.freeze()
    yield made
    gc.unfreeze()
    gc.enable()


def test_it_is_switched_off(garbage):
    assert not gc.isenabled()


def test_quiet_moments_collect_and_now_and_then_everything(garbage):
    assert [garbage.judge(0.0) for _ in range(FULL)] == [1] * (FULL - 1) + [2]


def test_a_busy_worker_is_left_alone_for_long(garbage):
    assert [garbage.judge(0.9) for _ in range(PATIENCE)] == [None] * (PATIENCE - 1) + [0]


@pytest.fixture
def frozen():
    """Whether this object is: then it is in none of the generations of the collector."""
    mark = [[]]
    return lambda: all(found is not mark for found in gc.get_objects())


def test_the_first_generation_is_frozen_at_once(garbage):
    fresh = Garbage(Loop())
    gc.unfreeze()
    fresh.note_generation()
    assert gc.get_freeze_count() > 0


def test_what_a_process_was_forked_with_is_left_alone_at_first():
    gc.collect()
    shared = [[]]
    gc.freeze()
    before = gc.get_freeze_count()
    made = Garbage(Loop())
    made.freeze()
    assert gc.get_freeze_count() >= before
    assert all(found is not shared for found in gc.get_objects())
    gc.unfreeze()
    gc.enable()


def test_the_next_generation_is_frozen_in_a_quiet_moment(garbage, frozen):
    garbage.note_generation()
    assert not frozen()
    assert garbage.judge(0.9) is None
    assert not frozen()
    assert garbage.judge(0.0) == 2
    assert frozen()
    assert garbage.judge(0.0) == 1


def test_generations_without_a_quiet_moment_do_not_pile_up(garbage, frozen):
    for _ in range(PILE - 1):
        garbage.note_generation()
    assert not frozen()
    garbage.note_generation()
    assert frozen()


def test_what_is_left_of_generations_is_collected(garbage):
    class Left:
        pass

    one = Left()
    one.itself = one
    gone = weakref.ref(one)
    garbage.freeze()
    del one
    garbage.note_generation()
    assert gone() is not None
    garbage.judge(0.0)
    assert gone() is None
