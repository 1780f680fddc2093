"""Policy of the workers: slots, waiting, lanes."""

import pytest

from lbd.process.policy import LONGEST_WAIT, Backoff, Lanes, assign


@pytest.mark.parametrize(("slots", "live", "shares"), [
    (2, [0, 1], {0: [0], 1: [1]}),
    (2, [1], {1: [1, 0]}),
    (4, [1, 3], {1: [1, 0], 3: [3, 2]}),
    (3, [0], {0: [0, 1, 2]}),
    (2, [], {}),
    (0, [0, 1], {0: [], 1: []}),
    (2, [0, 1, 2], {0: [0], 1: [1], 2: []}),
])
def test_every_slot_is_served(slots, live, shares):
    assert assign(slots, live) == shares
    if live:
        assert sorted(slot for share in shares.values() for slot in share) == list(range(slots))


def test_who_served_is_replaced_at_once_and_who_dies_early_waits_longer_each_time():
    backoff = Backoff()
    assert backoff.after(True) == 0
    assert [backoff.after(False) for _ in range(4)] == [0, 0.1, 0.2, 0.4]
    assert [backoff.after(False) for _ in range(20)][-1] == LONGEST_WAIT
    assert backoff.after(True) == 0
    assert backoff.after(False) == 0


def test_lanes_are_used_again_lowest_first():
    lanes = Lanes(3)
    assert [lanes.take() for _ in range(4)] == [0, 1, 2, None]
    lanes.give_back(2)
    lanes.give_back(0)
    assert lanes.take() == 0
