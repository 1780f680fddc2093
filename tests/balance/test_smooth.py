"""The compiled pass of smooth weighted round robin."""

import pytest

from lbd.balance.smooth import Smooth


def test_the_state_is_enough_to_go_on() -> None:
    one = Smooth([5, 1, 1], [0, 0, 0])
    first = [one.pick() for _ in range(3)]
    rest = [one.pick() for _ in range(4)]
    two = Smooth([5, 1, 1], [0, 0, 0])
    assert [two.pick() for _ in range(3)] == first
    assert [Smooth([5, 1, 1], two.state()).pick()] == rest[:1]
    assert first + rest == [0, 0, 1, 0, 2, 0, 0]
    assert one.state() == [0, 0, 0]


def test_refuses_lengths_that_differ_and_nothing_at_all() -> None:
    with pytest.raises(ValueError, match="as many"):
        Smooth([1, 2], [0])
    with pytest.raises(ValueError, match="nothing"):
        Smooth([], []).pick()
