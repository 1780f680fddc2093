"""First: the first server in the order of the file that has room, as HAProxy's `first`; weights are ignored.

It fills few servers, so that the others can be switched off. Room is `max_conns`; a server without it always has room.
"""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance.loads import Loads

UNBOUNDED = 1e9      # requests in flight


class First(Algorithm):
    """The first server with room; when all are full, the one that is the least over its bound."""

    weighted = False
    score_meaning = "in flight / max_conns, the first below 1 wins"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        bounds = [float(server.max_conns or UNBOUNDED) for server in servers]
        self.loads = Loads(self.context.board, [server.slot for server in servers], bounds)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.loads.listed(1.0)]

    def scores(self) -> Sequence[float]:
        return [count / (server.max_conns or UNBOUNDED)
                for count, server in zip(self.loads.in_flight(), self.servers, strict=True)]
