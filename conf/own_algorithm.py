"""An algorithm of your own: copy this file, change it, and name its class in the configuration.

    [backends.app]
    algorithm = "own_algorithm:Warmest"

The module must be importable by the workers: install it beside lbd, or put its directory into PYTHONPATH where lbd is
started (with systemd: `Environment=PYTHONPATH=/etc/lbd`). A reload that names it loads it; a changed file is loaded by
new workers, so restart or upgrade lbd after a change.

`pick` runs for every request, in the worker's only thread: it has 1 ms, and must not wait for anything. When it raises,
takes longer, or returns something else than a server that it was given, round-robin chooses for that request;
`lbd_fallbacks_total` counts it and the log says why, at most once a minute. Weights may be fractions while a server
starts slowly. What differs between workers (this object is one of several) must not matter: the loads do not, they are
those of all workers.
"""

from collections.abc import Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance.loads import Loads

ENOUGH = 8      # requests in flight per unit of weight


class Warmest(Algorithm):
    """Keeps to the busiest server that still has room, so that caches stay warm and idle servers stay idle.

    `self.context` has the scoreboard (`board`), the number of this worker (`worker`), dice (`random`), this worker's
    figures of the backend (`row`) and the backend's name (`backend`).
    """

    def rebuild(self, servers: Sequence[Server]) -> None:
        """These servers may be used from now on: at the start, and whenever one comes, goes, or changes its weight.

        The order is that of the file. Health, maintenance and backups are decided already.
        """
        self.servers = servers
        self.loads = Loads(self.context.board, [server.slot for server in servers],
                           [server.effective for server in servers])

    def pick(self, request: RequestFacts) -> Server:
        """One of the servers of the last `rebuild`, for this request.

        `request` has `method`, `target`, `host`, `source` (the client's address) and `field(b"name")`, all as bytes.
        """
        busy = [(count / server.effective, place)
                for place, (count, server) in enumerate(zip(self.loads.in_flight(), self.servers, strict=True))]
        with_room = [pair for pair in busy if pair[0] < ENOUGH]
        return self.servers[max(with_room)[1] if with_room else min(busy)[1]]

    # Optional: `took(server)` and `dropped(server)` are called when a request goes to a server and when it is over,
    # `inherit(previous)` with the object that a reload replaces.
