"""A backend as one worker sees it: its identity over every generation, with the pool that is in force now."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lbd import schema
from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.pool import Pool
from lbd.backend.scanners import response_rules
from lbd.backend.server import Server
from lbd.backend.slow_start import SlowStart
from lbd.backend.snapshot import Endpoint
from lbd.backend.sticky import Stickiness
from lbd.backend.sticky_source import SourceStickiness
from lbd.stats.endings import FAILING
from lbd.stats.scoreboard import Row
from lbd.stats.sources import SourceTable

ServerKey = tuple[str, str]          # server name, address


class Admission(Protocol):
    """Admits requests of one backend while connections or requests are bounded; in the data plane, `lbd.exchange.gate`.

    A request is passed as its client, the same object in every call.
    """

    def overfull(self, client: Any, /) -> bool: ...
    def admit(self, client: Any, /) -> None: ...
    def requeue(self, client: Any, /) -> None: ...
    def overdue(self, client: Any, /) -> bool: ...
    def leave(self, client: Any, /) -> None: ...
    def attach(self) -> None: ...
    def freed(self) -> None: ...
    def pump(self, in_turn: bool = ..., /) -> None: ...
    def close(self) -> None: ...


class Backend:
    """The settings and servers of one backend. `install` swaps both; `update` changes the state of a server.

    `pick` is the algorithm's own method while servers are usable: looked up once, not per request. `direct` is the same
    where the algorithm alone decides: no stickiness, no bounds.
    """

    __slots__ = ("direct", "dropped", "gate", "name", "pick", "pool", "responses", "row", "server_timeout", "servers",
                 "settings", "slow_start", "sticky", "sticky_source", "took")

    def __init__(self, name: str, row: Row) -> None:
        self.name = name
        self.row = row
        self.servers: dict[ServerKey, Server] = {}
        self.slow_start = SlowStart()
        self.pool: Pool | None = None
        self.pick: Callable[[RequestFacts], Server | None] = nothing
        self.direct: Callable[[RequestFacts], Server | None] = nothing
        self.settings = schema.BackendConfig()
        self.server_timeout = self.settings.timeouts.server
        self.responses = response_rules(self.settings)
        self.gate: Admission | None = None      # where something is bounded
        self.sticky: Stickiness | None = None
        self.sticky_source: SourceStickiness | None = None
        self.took: Callable[[Server], None] | None = None
        self.dropped: Callable[[Server], None] | None = None

    def install(self, settings: schema.BackendConfig, endpoints: Sequence[Endpoint], rows: Callable[[int], Row],
                algorithm: Algorithm, secret: bytes = b"", sources: SourceTable | None = None) -> list[Server]:
        """Put settings, servers and algorithm in force; returns the servers that are no longer there.

        `secret` is the key of sticky cookies, `sources` the table of sticky source addresses (None: there is none).
        """
        servers = {}
        self.slow_start.keep(self.servers.values(), settings.slow_start)
        for endpoint in endpoints:
            identity = (endpoint.name, str(endpoint.address))
            server = self.servers.pop(identity, None)
            served = self.pool is None or (server is not None and server.serves)
            if server is None:
                server = Server(endpoint, rows(endpoint.slot))
            else:
                server.update(endpoint)
            # A connection whose PROXY header named one client may not carry another's requests.
            server.max_idle = 0 if settings.send_proxy else settings.max_idle
            server.max_turns = settings.max_requests or sys.maxsize
            servers[identity] = server
            self.slow_start.judge(server, served)
        removed = list(self.servers.values())
        for server in removed:
            server.gone = True
            self.slow_start.forget(server)
        if self.pool is None:
            self.slow_start.spare(servers.values())
        if self.pool is not None and type(self.pool.algorithm) is type(algorithm):
            algorithm.inherit(self.pool.algorithm)
        self.settings = settings
        self.server_timeout = settings.timeouts.server
        self.responses = response_rules(settings)
        self.took, self.dropped = algorithm.took, algorithm.dropped
        self.row.measure(algorithm.decay, algorithm.last_byte,
                         settings.outlier.statuses if settings.outlier is not None else FAILING)
        self.servers = servers
        self._stick(settings.stickiness, secret, sources)
        self.pool = Pool(list(servers.values()), algorithm, settings.when_all_down == "use-all")
        self.rebuild()
        return removed

    def _stick(self, settings: schema.Sticky | None, secret: bytes, sources: SourceTable | None) -> None:
        servers = self.servers.values()
        self.sticky = self.sticky_source = None
        if settings is not None:
            self.sticky = Stickiness(self.name, settings, secret, servers)
            if sources is not None:
                self.sticky_source = SourceStickiness(self.name, settings.lifetime, servers, sources)

    def update(self, endpoint: Endpoint, rows: Callable[[int], Row]) -> list[Server]:
        """Apply a server's new state, or new address: then a new server replaces the old one, which is returned.

        Takes effect with `rebuild`.
        """
        identity = (endpoint.name, str(endpoint.address))
        server = self.servers.get(identity)
        if server is not None:
            served = server.serves
            server.update(endpoint)
            self.slow_start.judge(server, served)
            return []
        servers, removed = {}, []
        for known, old in self.servers.items():
            if known[0] != endpoint.name:
                servers[known] = old
                continue
            old.gone = True
            removed.append(old)
            self.slow_start.forget(old)
            server = servers[identity] = Server(endpoint, rows(endpoint.slot))
            server.max_idle, server.max_turns = old.max_idle, old.max_turns
            self.slow_start.judge(server, False)
        self.servers = servers
        if self.pool is not None and removed:
            self.pool.replace(servers.values())
        if removed:
            for sticky in (self.sticky, self.sticky_source):
                if sticky is not None:
                    sticky.follow(servers.values())
        return removed

    def close(self) -> list[Server]:
        """Leave the configuration; returns the servers, whose connections the caller closes."""
        removed = list(self.servers.values())
        for server in removed:
            server.gone = True
        self.servers = {}
        self.pool = None
        self.pick = self.direct = nothing
        return removed

    def rebuild(self) -> None:
        """Decide anew which servers may be picked."""
        if self.pool is not None:
            self.pool.rebuild()
            self.pick = self.pool.algorithm.pick if self.pool.usable else nothing
            self.aim()

    def preview(self, request: RequestFacts) -> Server | None:
        """The server that `pick` would choose now; nothing is changed by it."""
        return self.pool.algorithm.preview(request) if self.pool is not None and self.pool.usable else None

    def aim(self) -> None:
        """Decide whether the algorithm alone chooses: not where servers are bounded or clients stay with theirs."""
        self.direct = self.pick if self.gate is None and self.sticky is None else nothing

    @property
    def bounded(self) -> bool:
        """Whether requests may have to wait, or be refused because of their number."""
        return self.settings.max_in_flight is not None or any(server.max_conns for server in self.servers.values())

    def tick(self, now: float) -> None:
        """Continue slow starts; called a few times a second with the monotonic time."""
        if self.slow_start.growing and self.slow_start.step(now):
            self.rebuild()

    def pick_other(self, tried: Sequence[Server], again: bool = True) -> Server | None:
        """A server for a repeat, from the pool that is in force now; without `again` none that was tried."""
        return self.pool.pick_other(tried, again) if self.pool is not None else None


def nothing(_request: RequestFacts) -> None:
    """Pick no server: none is usable."""
