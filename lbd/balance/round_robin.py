"""Round robin: the next server in the order of the file, weights ignored."""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, Context, Facts
from lbd.backend.server import Server


class RoundRobin(Algorithm):
    """Each worker keeps its own place and starts at another server, so that workers do not march in step."""

    def __init__(self, options: object, context: Context) -> None:
        super().__init__(options, context)
        self.servers: Sequence[Server] = ()
        self.last: Server | None = None
        self.next = -1

    def inherit(self, previous: "RoundRobin") -> None:
        """Go on after the server that came last, wherever it stands now."""
        self.last = previous.last
        self._place()

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self._place()

    def pick(self, request: Facts) -> Server:
        place = self.next
        if place >= len(self.servers):
            place = 0
        self.next = place + 1
        self.last = self.servers[place]
        return self.last

    def _place(self) -> None:
        if self.last in self.servers:
            self.next = self.servers.index(self.last) + 1
        elif self.next < 0 and self.servers:
            self.next = self.context.worker % len(self.servers)
