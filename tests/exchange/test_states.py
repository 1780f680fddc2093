"""The states of an exchange: in the order in which it goes through them."""

from lbd.exchange import states
from lbd.exchange.deadlines import EXPIRED


def test_they_can_be_compared() -> None:
    order = [states.NEW, states.HELD, states.QUEUED, states.CONNECT, states.SEND, states.WAIT, states.RELAY,
             states.TUNNEL, states.ENDED]
    assert order == sorted(set(order))


def test_time_may_run_out_in_each() -> None:
    assert set(EXPIRED) == set(range(states.ENDED + 1))


def test_no_filter_has_the_number_of_the_body() -> None:
    assert states.BODY < 0
