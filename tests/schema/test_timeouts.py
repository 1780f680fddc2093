"""Tests of lbd.schema.timeouts: the defaults of all timeouts."""

from dataclasses import astuple

from lbd.schema.timeouts import Timeouts


def test_every_timeout_is_bounded() -> None:
    assert all(0 < seconds <= 3600 for seconds in astuple(Timeouts()))


def test_half_closed_tunnels_end_before_whole_ones() -> None:
    assert Timeouts().half_closed < Timeouts().tunnel
