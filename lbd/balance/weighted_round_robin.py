"""Smooth weighted round robin, as in nginx (ngx_http_upstream_round_robin.c): 5, 1, 1 gives a a b a c a a."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.rotation import Rotation
from lbd.balance.turns import rotation_of

UNIT = 100      # parts of a weight, which is a fraction while slow start lets it grow


class WeightedRoundRobin(Algorithm):
    """Shares by weight, spread as evenly as can be, over all workers together."""

    score_meaning = "share of the requests, in turn"
    takes_turns = True

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.rotation: Rotation | None = None

    def inherit(self, previous: "WeightedRoundRobin") -> None:
        self.rotation = self.rotation or previous.rotation

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        weights = tuple(max(round(server.effective * UNIT), 1) for server in servers)
        self.rotation = rotation_of(weights, self.context.row, self.rotation)
        self.take, self.peek = self.rotation.take, self.rotation.peek

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.take()]

    def preview(self, request: RequestFacts) -> Server:
        return self.servers[self.peek()]

    def scores(self) -> Sequence[float]:
        total = sum(server.effective for server in self.servers)
        return [server.effective / total for server in self.servers]
