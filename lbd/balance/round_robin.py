"""Round robin: the next server in the order of the file, weights ignored."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, Facts
from lbd.backend.server import Server


class RoundRobin(Algorithm):
    """Each worker keeps its own place and starts at another server, so that workers do not march in step."""

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.servers: Sequence[Server] = ()
        self.next = context.worker

    def inherit(self, previous: "RoundRobin") -> None:
        """Go on with the server whose turn it is, wherever it stands now."""
        self._place(previous.servers, previous.next, self.servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self._place(self.servers, self.next, servers)

    def pick(self, request: Facts) -> Server:
        place = self.next
        if place >= len(self.servers):
            place = 0
        self.next = place + 1
        return self.servers[place]

    def _place(self, before: Sequence[Server], turn: int, servers: Sequence[Server]) -> None:
        """The first in turn of the old order that is still there; anywhere if none is."""
        turn %= max(len(before), len(servers), 1)
        self.servers = servers
        self.next = next((servers.index(server) for server in (*before[turn:], *before[:turn]) if server in servers),
                         turn)
