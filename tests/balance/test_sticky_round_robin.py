"""Sticky round robin chooses as round robin does, and implies stickiness."""

from lbd.balance import ALGORITHMS
from lbd.balance.round_robin import RoundRobin
from lbd.balance.sticky_round_robin import StickyRoundRobin
from lbd.schema import AlgorithmConfig, BackendConfig, Sticky


def test_new_clients_take_turns() -> None:
    assert ALGORITHMS["sticky-round-robin"] is StickyRoundRobin
    assert StickyRoundRobin.pick is RoundRobin.pick


def test_the_name_implies_stickiness_which_can_still_be_set() -> None:
    sticky = BackendConfig(algorithm=AlgorithmConfig("sticky-round-robin"))
    assert sticky.stickiness == Sticky()
    assert BackendConfig(algorithm=AlgorithmConfig("round-robin")).stickiness is None
    named = BackendConfig(algorithm=AlgorithmConfig("sticky-round-robin"), sticky=Sticky(cookie="C"))
    assert named.stickiness == Sticky(cookie="C")
