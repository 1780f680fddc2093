"""Random two choices: of two different servers drawn by weight the one with less in flight, counted over all workers.

Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (1996); HAProxy's `random(2)`, but for draws that
never fall on the same server twice.
"""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance.loads import Loads


class RandomTwoChoices(Algorithm):
    """Loads are in flight / weight; of equals the first drawn."""

    score_meaning = "in flight / weight, the less loaded of two that are drawn wins"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.loads = Loads(self.context.board, [server.slot for server in servers],
                           [server.effective for server in servers], self.context.random.getrandbits(64))
        self.two = self.loads.two

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.two()]

    def scores(self) -> Sequence[float]:
        return [count / server.effective for count, server in zip(self.loads.in_flight(), self.servers, strict=True)]
