"""Round robin: the next server in the order of the file, weights ignored, one turn for all workers."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.rotation import Rotation
from lbd.balance.turns import rotation_of


class RoundRobin(Algorithm):
    """Workers take turns together, over every reload."""

    weighted = False
    takes_turns = True

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.rotation: Rotation | None = None

    def inherit(self, previous: "RoundRobin") -> None:
        self.rotation = self.rotation or previous.rotation

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.rotation = rotation_of((1,) * len(servers), self.context.row, self.rotation)
        self.take, self.peek = self.rotation.take, self.rotation.peek

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.take()]

    def preview(self, request: RequestFacts) -> Server:
        return self.servers[self.peek()]
