"""Tests of lbd.log.moment."""

from lbd.log.moment import moment


def test_moments_are_utc() -> None:
    assert moment(0.0) == "1970-01-01T00:00:00Z"
