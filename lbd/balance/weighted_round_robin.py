"""Smooth weighted round robin, as in nginx (ngx_http_upstream_round_robin.c): 5, 1, 1 gives a a b a c a a."""

from collections.abc import Sequence

from lbd.backend.server import Server
from lbd.balance.round_robin import RoundRobin

UNIT = 100      # what weights are counted in, so that a weight can be a fraction while slow start lets it grow


class WeightedRoundRobin(RoundRobin):
    """Shares by weight, spread as evenly as can be, over all workers together."""

    weighs = "share of the requests, in turn"

    def units(self, servers: Sequence[Server]) -> tuple[int, ...]:
        return tuple(max(round(server.effective * UNIT), 1) for server in servers)

    def scores(self) -> Sequence[float]:
        total = sum(server.effective for server in self.servers)
        return [server.effective / total for server in self.servers]
