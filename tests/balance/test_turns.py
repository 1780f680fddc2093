"""Tests of lbd.balance.turns: a rotation is kept while its weights are the same."""

from lbd.balance.turns import rotation_of


def test_the_same_weights_keep_the_rotation() -> None:
    one = rotation_of((1, 2), None, None)
    assert rotation_of((1, 2), None, one) is one


def test_other_weights_go_on_from_the_position() -> None:
    one = rotation_of((1, 1), None, None)
    one.take()
    other = rotation_of((1, 1, 1), None, one)
    assert other is not one
    assert other.take() == 1
