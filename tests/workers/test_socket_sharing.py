"""The sharing of sockets: every slot has a worker that accepts from it."""

import pytest

from lbd.workers.socket_sharing import assign


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
