"""Retries: of a request whose server was not reached, closed the connection, answered badly or too late, or went down.

A request that a server may have got is retried only if its method is idempotent (RFC 9110 9.2.2) and all of it is still
in memory. Retries after a timeout or a status must be configured, and are limited to a share of the requests in flight
(the retry budget of Finagle): servers in trouble must not get twice the load.
"""

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.stats import fields
from lbd.stats.bound import reserve

SHARE = 0.2      # of the backend's requests in flight that may be retries, of all workers
MOST = 32        # servers that one request tries to connect to
LEAST = 3        # retries at a time that are always allowed


class Retries:
    """The servers that failed a request.

    Of the servers `tried` so far `spent` is how many may have got something of the request: `retries` of the backend
    bounds those. Failed connects go on until every server was tried once, not after `until` (monotonic seconds).
    `lost`: one of them closed the connection before it answered. `budgeted`: a place in the budget is taken.
    """

    __slots__ = ("backend", "budgeted", "lost", "spent", "tried", "until")

    def __init__(self, backend: Backend, now: float) -> None:
        settings = backend.settings
        self.backend = backend
        self.tried: list[Server] = []
        self.spent = 0
        self.until = now + settings.timeouts.connect * max(settings.retries, 1)
        self.lost = False
        self.budgeted = False

    def failed(self, server: Server | None, spent: bool) -> None:
        """Note a server that failed; `spent`: it may have got something of the request."""
        if server is not None:
            self.tried.append(server)
        self.spent += spent

    def choose(self, spent: bool, now: float) -> Server | None:
        """The server to try next, after one failed; None: give up."""
        backend, tried, other = self.backend, self.tried, None
        retries = backend.settings.retries
        if not spent and len(tried) < MOST and now <= self.until:
            other = backend.pick_other(tried, again=False)
        if other is None and (self.spent if spent else len(tried)) <= retries:
            other = backend.pick_other(tried)
        return other

    def allowed(self, server: Server | None, in_flight: float) -> bool:
        """Whether there is a server that was not tried yet, and room in the budget; `server` has the request now."""
        backend, tried = self.backend, self.tried
        if (self.spent if tried else 0) >= backend.settings.retries or backend.pool is None:
            return False
        if all(other is server or other in tried for other in backend.pool.usable):
            return False
        if not self.budgeted:
            if not reserve(backend.row, fields.BACKEND_RETRYING, max(LEAST, SHARE * in_flight)):
                backend.row.add(fields.BACKEND_RETRIES_DENIED, 1)
                return False
            self.budgeted = True
        return True

    def settle(self) -> None:
        """Give the place in the budget back: the last try is over."""
        if self.budgeted:
            self.budgeted = False
            self.backend.row.add(fields.BACKEND_RETRYING, -1)
