"""Back-off of a server whose connects fail."""

from lbd.backend.backoff import FailureBackoff


def test_it_doubles_up_to_eight_seconds_and_ends_when_failures_are_cleared() -> None:
    one = FailureBackoff()
    lengths = []
    for _ in range(6):
        now = one.until
        assert one.mark_failed(now)
        lengths.append(one.until - now)
    assert lengths == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    one.clear_failures()
    assert one.until == 0.0
    one.mark_failed(100.0)
    assert one.until == 100.5


def test_a_failure_while_it_is_backed_off_is_no_news() -> None:
    one = FailureBackoff()
    assert one.mark_failed(100.0)
    assert not one.mark_failed(100.4)
    assert one.until == 100.5
