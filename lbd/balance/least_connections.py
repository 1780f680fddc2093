"""Least connections: the server with the least (requests in flight + 1) / weight, counted over all workers.

The rule is HAProxy's `leastconn` (src/lb_fwlc.c) and nginx's `least_conn`; ties are taken in turn.
"""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.stats.least import Least


class LeastConnections(Algorithm):
    """Reads the in-flight counts of every worker from the scoreboard in one compiled pass."""

    score_meaning = "(in flight + 1) / weight, the least wins"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        slots = [server.slot for server in servers]
        self.least = Least(self.context.board, slots, [server.effective for server in servers]).pick

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.least()]

    def scores(self) -> Sequence[float]:
        return [(self.context.board.in_flight(server.slot) + 1) / server.effective for server in self.servers]
