"""Smooth weighted round robin, as in nginx (ngx_http_upstream_round_robin.c): 5, 1, 1 gives a a b a c a a."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, Facts
from lbd.backend.server import Server
from lbd.balance.smooth import Smooth

UNIT = 100      # what weights are counted in, so that a weight can be a fraction while slow start lets it grow


class WeightedRoundRobin(Algorithm):
    """Shares by weight, spread as evenly as can be, also after the set changed: every server keeps its current value.

    Each worker starts at another place of the order, so that workers do not march in step.
    """

    weighs = "share of the requests, in turn"

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.servers: Sequence[Server] = ()
        self.smooth = Smooth((), ())
        self.started = False

    def inherit(self, previous: "WeightedRoundRobin") -> None:
        """Go on from where the values stood."""
        self._continue(previous.servers, previous.smooth, self.servers)
        self.started = previous.started

    def rebuild(self, servers: Sequence[Server]) -> None:
        self._continue(self.servers, self.smooth, servers)
        if not self.started:
            self.started = True
            for _ in range(self.context.worker % len(servers)):
                self.smooth.pick()

    def pick(self, request: Facts) -> Server:
        return self.servers[self.smooth.pick()]

    def scores(self) -> Sequence[float]:
        total = sum(server.effective for server in self.servers)
        return [server.effective / total for server in self.servers]

    def _continue(self, before: Sequence[Server], smooth: Smooth, servers: Sequence[Server]) -> None:
        """Values go with their servers; what a new or missing server leaves over is shared out, so the sum stays 0."""
        values = dict(zip(before, smooth.state(), strict=True))
        current = [values.get(server, 0) for server in servers]
        rest = -sum(current)
        for place in range(len(current)):
            share = rest // (len(current) - place)
            current[place] += share
            rest -= share
        self.servers = servers
        self.smooth = Smooth([max(round(server.effective * UNIT), 1) for server in servers], current)
