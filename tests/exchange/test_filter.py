"""The interface of filters: what one does that overrides nothing."""

from lbd.exchange.filter import Filter, FilterAnswer
from lbd.exchange.states import ENDED
from tests.filters.asked import CONTEXT, answer, exchange, request


def test_a_filter_does_nothing_by_itself() -> None:
    one, asked, head = Filter(None, CONTEXT), exchange(), request()
    assert one.on_request(asked, head) is None
    one.on_response(asked, answer())
    assert one.on_request_data(asked, b"x", True) == one.on_response_data(asked, b"x", False) == b"x"
    one.on_end(asked, 0)
    assert one.describe() == "Filter"
    assert head.original == b""


def test_an_exchange_that_is_over_is_not_answered() -> None:
    asked = exchange()
    asked.request, asked.state = request(), ENDED
    Filter(None, CONTEXT).answer(asked, FilterAnswer(200))
