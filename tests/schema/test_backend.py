"""Tests of lbd.schema.backend: keys of backends, servers and health policies."""

from lbd.schema.backend import AlgorithmConfig, BackendConfig, Sticky


def test_stickiness_is_implied_by_its_algorithm() -> None:
    assert BackendConfig().stickiness is None
    assert BackendConfig(algorithm=AlgorithmConfig("sticky-round-robin")).stickiness == Sticky()
    mine = Sticky(cookie="MINE")
    assert BackendConfig(algorithm=AlgorithmConfig("sticky-round-robin"), sticky=mine).stickiness == mine
