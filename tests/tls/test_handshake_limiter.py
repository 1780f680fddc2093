"""Tests of lbd.tls.handshake_limiter: who comes first is served first, so many per turn of the loop."""

import asyncio
import itertools

from lbd.tls.handshake_limiter import HandshakeLimiter
from tests.waiting import turn


class One:
    def __init__(self, number: int, served: list[int]) -> None:
        self.number = number
        self.served = served

    def begin_handshake(self) -> None:
        self.served.append(self.number)


async def test_so_many_per_turn_and_in_order() -> None:
    served: list[int] = []
    limiter = HandshakeLimiter(asyncio.get_running_loop(), 3)
    at_once = [limiter.admit(One(number, served)) for number in range(10)]
    assert at_once == [True] * 3 + [False] * 7
    counts = []
    while len(served) < 7:
        counts.append(len(served))
        await turn()
    assert served == list(range(3, 10))
    assert max(after - before for before, after in itertools.pairwise(counts)) <= 3
    await turn(3)
    assert limiter.admit(One(10, served))
