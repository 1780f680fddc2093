"""Round robin: the next server in the order of the file, weights ignored, one turn for all workers."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.rotation import Rotation


class RoundRobin(Algorithm):
    """The position is the backend's own, in shared memory: workers take turns together, over every reload."""

    takes_turns = True

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.servers: Sequence[Server] = ()
        self.rotation: Rotation | None = None

    def inherit(self, previous: "RoundRobin") -> None:
        """Go on where the algorithm before stood, also where no worker shares the position."""
        if self.rotation is None:
            self.rotation = previous.rotation

    def rebuild(self, servers: Sequence[Server]) -> None:
        weights = self.units(servers)
        if self.rotation is None or self.rotation.weights != weights:
            taken = self.rotation.taken if self.rotation is not None else 0
            self.rotation = Rotation(self.context.row, weights, taken)
        self.servers = servers
        self.turn = self.rotation.take

    def units(self, servers: Sequence[Server]) -> tuple[int, ...]:
        """The weights that count, as whole numbers from 1 on."""
        return (1,) * len(servers)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.turn()]

    def preview(self, request: RequestFacts) -> Server:
        assert self.rotation is not None
        return self.servers[self.rotation.peek()]
