"""A server as one worker sees it: its two axes of state, its row in the scoreboard, and its idle connections."""

import sys
from typing import Any

from lbd.backend import state
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats.scoreboard import Row, now

DOUBLINGS = 4       # of the doubt of a server whose connects keep failing: 0.5 s to 8 s


class Server:
    """One address in a backend. Lives as long as its identity (backend, name, address), over every generation.

    `idle` holds kept-alive connections, newest last, at most `max_idle` of them, each for at most `max_turns` requests;
    `pinned` those that rest with the one client that signed on by them, newest last.
    `doubt` is the monotonic time until which the server is the last choice, because a connect to it failed; 0.0 while
    there is no doubt. `gone`: no generation has it any more.
    `effective` is the weight as algorithms see it: less than `weight` while slow start lets it grow. `max_conns` is
    the most connections, and so requests in flight, of all workers together (0: any number). `tls` says how
    connections to it are secured (`lbd.tls.contexts.ClientTls`), None where they are not; `host` is its configured
    name.
    `cut` is the moment of a planned cut that its worker knows of, past or to come.
    """

    __slots__ = ("address", "backend", "backup", "cut", "doubt", "doubts", "effective", "endpoint", "gone", "grown",
                 "health", "host", "idle", "max_conns", "max_idle", "max_turns", "mode", "name", "pinned", "row",
                 "slot", "tls", "weight")

    def __init__(self, endpoint: Endpoint, row: Row) -> None:
        self.backend = endpoint.backend
        self.name = endpoint.name
        self.address: Address = endpoint.address
        self.slot = endpoint.slot
        self.row = row
        self.idle: dict[Any, None] = {}
        self.pinned: dict[Any, None] = {}
        self.endpoint: tuple[int, Any] | None = None
        self.host = endpoint.host
        self.tls: Any = None
        self.doubt = 0.0
        self.doubts = 0
        self.gone = False
        self.max_idle = 64
        self.max_turns = sys.maxsize
        self.grown = 1.0
        self.health = ""
        self.cut = endpoint.cut if endpoint.cut <= now() else 0.0     # what was to be cut before it began is not here
        self.update(endpoint)

    def __repr__(self) -> str:
        return f"<Server {self.backend}/{self.name} {self.address} {self.mode} {self.health}>"

    def update(self, endpoint: Endpoint) -> None:
        """Take over what may change while the identity stays. Who is found well again is not doubted any more."""
        if endpoint.health == "up" and self.health != "up":
            self.trust()
        self.weight = endpoint.weight
        self.backup = endpoint.backup
        self.mode = endpoint.mode
        self.health = endpoint.health
        self.max_conns = endpoint.max_conns
        self.effective = self.weight * self.grown

    def grow(self, share: float) -> None:
        """So much of its weight counts, from 0 to 1."""
        self.grown = share
        self.effective = self.weight * share

    @property
    def usable(self) -> bool:
        """May take new clients."""
        return state.usable(self)

    @property
    def ready(self) -> bool:
        """Wanted by the operator, and at an address: a name that was never resolved leads nowhere."""
        return state.ready(self)

    @property
    def serves(self) -> bool:
        """Has work, or could have some if its weight and the operator wanted: it is not cold."""
        return state.serves(self)

    @property
    def keeps_clients(self) -> bool:
        """May go on with a client that it had: also while it is drained, or takes no new ones by its weight of 0."""
        return state.serves(self) and not self.doubt and not self.gone

    def fail(self, now: float) -> bool:
        """A connect failed at `now`: the last choice for half a second, twice as long each time, at most 8 s.

        False if that is no news: it was in doubt already.
        """
        if now < self.doubt:
            return False
        self.doubt = now + 0.5 * 2 ** self.doubts
        self.doubts = min(self.doubts + 1, DOUBLINGS)
        return True

    def trust(self) -> None:
        """It answered again."""
        self.doubt = 0.0
        self.doubts = 0
