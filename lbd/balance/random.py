"""Random: a server drawn by weight, whatever its load."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance.loads import Loads


class Random(Algorithm):
    """Workers share nothing, and shares are by weight only on average."""

    score_meaning = "share of the requests"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.draw = Loads(self.context.board, [server.slot for server in servers],
                          [server.effective for server in servers], self.context.random.getrandbits(64)).draw

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.draw()]

    def scores(self) -> Sequence[float]:
        total = sum(server.effective for server in self.servers)
        return [server.effective / total for server in self.servers]
