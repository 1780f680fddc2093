"""A server as a worker sees it: its two axes of state, its row in the scoreboard, and its idle connections."""

import sys
from typing import Any

from lbd.backend import state
from lbd.backend.backoff import FailureBackoff
from lbd.backend.connections import ServerConnections
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats.scoreboard import Row, now


class Server:
    """An address in a backend. Lives as long as its identity (backend, name, address), over every generation.

    `idle` holds kept-alive connections, newest last, at most `max_idle` of them, each for at most `max_turns` requests.
    `gone`: no generation has the server any more. `effective` is the weight as algorithms see it: less than `weight`
    while slow start lets it grow. `name`: that in the configuration, or of its registration. `serves`: it is warm: it
    has requests, or could have some if its weight and the operator allowed. `max_conns` is the most connections, and so
    requests in flight, of all workers together (0: any number). `cut` is the moment of a planned cut that its worker
    knows of, past or to come.
    """

    __slots__ = ("backoff", "connections", "cut", "effective", "endpoint", "gone", "health", "idle",
                 "max_conns", "max_idle", "max_turns", "name", "row", "serves", "weight")

    def __init__(self, endpoint: Endpoint, row: Row) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.row = row
        self.idle: dict[Any, None] = {}
        self.connections = ServerConnections()
        self.backoff = FailureBackoff()
        self.gone = False
        self.max_idle = 64
        self.max_turns = sys.maxsize
        self.health = ""
        self.cut = endpoint.cut if endpoint.cut <= now() else 0.0     # a cut planned before it began is not its own
        self.update(endpoint)

    def __repr__(self) -> str:
        return f"<Server {self.backend}/{self.name} {self.address} {self.mode} {self.health}>"

    def update(self, endpoint: Endpoint) -> None:
        """Take over all that may change while the identity stays; a server that is up again is not backed off."""
        if endpoint.health == "up" and self.health != "up":
            self.backoff.clear_failures()
        self.endpoint = endpoint
        self.weight = endpoint.weight
        self.health = endpoint.health
        self.max_conns = endpoint.max_conns
        self.effective = float(self.weight)
        self.serves = state.serves(endpoint)

    def grow(self, share: float) -> None:
        """Let a share of its weight count, from 0 to 1, until the next `update`."""
        self.effective = self.weight * share

    @property
    def backend(self) -> str:
        """Name of its backend."""
        return self.endpoint.backend

    @property
    def backup(self) -> bool:
        """Whether it has requests only while no other server is usable."""
        return self.endpoint.backup

    @property
    def mode(self) -> str:
        """The mode that the operator wants: ready, drain or maint."""
        return self.endpoint.mode

    @property
    def address(self) -> Address:
        """The address where it is now: an IP address or a Unix socket."""
        return self.endpoint.address

    @property
    def slot(self) -> int:
        """The slot of its row in the scoreboard."""
        return self.endpoint.slot

    @property
    def host(self) -> str:
        """The configured host: the name that its certificate is for."""
        return self.endpoint.host

    @property
    def usable(self) -> bool:
        """Whether it may take new clients."""
        return state.usable(self)

    @property
    def ready(self) -> bool:
        """Whether the operator wants it, and it has an address: a name that was never resolved leads nowhere."""
        return state.ready(self)

    def keeps_clients(self) -> bool:
        """Whether it goes on with its clients: also while it is drained, or takes no new ones by a weight of 0."""
        return self.serves and not self.gone and not self.backoff.until
