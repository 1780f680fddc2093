"""The awaited answers: each message goes to the first waiter for its kind."""

import pytest

from lbd.errors import LbdError
from lbd.workers.messages import Ping, Pong, Ready, Veto
from lbd.workers.pending_answers import PendingAnswers


async def test_each_message_goes_to_the_first_waiter_for_its_kind():
    answers = PendingAnswers()
    first, second, other = (answers.expect(kinds) for kinds in ((Ready, Veto), (Ready, Veto), (Pong,)))
    assert answers.deliver(Veto(1, "no"))
    assert answers.deliver(Pong(7))
    assert not answers.deliver(Ping(1))
    assert (first.result(), other.result(), second.done()) == (Veto(1, "no"), Pong(7), False)


async def test_a_waiter_that_went_takes_its_answer_unless_it_is_forgotten():
    answers = PendingAnswers()
    first, second, third = (answers.expect((Pong,)) for _ in range(3))
    first.cancel()
    answers.forget(second)
    assert answers.deliver(Pong(1))
    assert not third.done()
    assert answers.deliver(Pong(2))
    assert (third.result(), second.done()) == (Pong(2), False)


async def test_all_waiters_are_told_of_the_end():
    answers = PendingAnswers()
    future = answers.expect((Pong,))
    answers.fail("it died")
    with pytest.raises(LbdError, match="it died"):
        await future
    assert not answers.deliver(Pong(1))
