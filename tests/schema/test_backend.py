"""Tests of lbd.schema.backend: keys of backends, servers and health policies."""

from lbd.schema.backend import Algorithm, Backend, Sticky


def test_stickiness_is_implied_by_its_algorithm() -> None:
    assert Backend().stickiness is None
    assert Backend(algorithm=Algorithm("sticky-round-robin")).stickiness == Sticky()
    mine = Sticky(cookie="MINE")
    assert Backend(algorithm=Algorithm("sticky-round-robin"), sticky=mine).stickiness == mine
