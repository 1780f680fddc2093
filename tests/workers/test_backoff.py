"""The back-off: longer after each early death."""

from lbd.workers.backoff import LONGEST_WAIT, Backoff


def test_who_served_is_replaced_at_once_and_who_dies_early_waits_longer_each_time():
    backoff = Backoff()
    assert backoff.after(True) == 0
    assert [backoff.after(False) for _ in range(4)] == [0, 0.1, 0.2, 0.4]
    assert [backoff.after(False) for _ in range(20)][-1] == LONGEST_WAIT
    assert backoff.after(True) == 0
    assert backoff.after(False) == 0
