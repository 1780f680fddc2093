"""Retries: of a request whose server was not reached, closed the connection, answered badly or too late, or went down.

A request that a server may have got is retried only if its method is idempotent (RFC 9110 9.2.2) and all of it is still
in memory. Retries after a timeout or a status must be configured, and are limited to a share of the requests in flight
(the retry budget of Finagle): servers in trouble must not get twice the load.
"""

import ssl

from lbd.backend.server import Server
from lbd.errors import shortage
from lbd.log.logger import logger
from lbd.proxy.exchange import CONNECT, IDEMPOTENT, RELAY, TUNNEL, WAIT, Exchange
from lbd.stats import endings, fields
from lbd.stats.bound import reserve
from lbd.upstream.breaking import break_off
from lbd.upstream.upstream import Upstream

SHARE = 0.2      # of the backend's requests in flight that may be repeats, of all workers
MOST = 32        # servers that one request tries to connect to
LEAST = 3        # repeats at a time that are always allowed


class Repeats(Exchange):
    """The retries of an exchange.

    Of the servers `tried` so far `spent` is how many may have got something of the request: `retries` bounds those.
    Failed connects go on until every server was tried once, not after `until` (monotonic seconds).
    """

    __slots__ = ("spent", "until")

    spent: int
    until: float

    def refused(self, upstream: Upstream, reason: Exception | None) -> None:
        """Try another server: a connect failed, and nothing was sent."""
        if shortage(reason):
            self._repeat(fields.BACKEND_RETRIES_REFUSED, 503, endings.OUT_OF_RESOURCES, blamed=False, spent=True)
            return
        if isinstance(reason, ssl.SSLError) and not upstream.server.backoff.until:
            logger.warning("TLS with a server failed", backend=upstream.server.backend,
                           server=upstream.server.name, reason=str(reason))
        self.plane.servers.mark_failed(upstream.server)
        self.blame(failure(reason), str(reason or ""))
        self._repeat(fields.BACKEND_RETRIES_REFUSED, 502, failure(reason), spent=False)

    def unreached(self, status: int, ending: int) -> None:
        """Try another server: a connect takes too long."""
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.server.row.add(fields.SERVER_CONNECTION_ERRORS, 1)
            upstream.abort()
        self.plane.servers.mark_failed(self.server)
        self._repeat(fields.BACKEND_RETRIES_TIMEOUT, status, ending, spent=False)

    def _repeat(self, reason: int, status: int, ending: int, blamed: bool = True, spent: bool = True) -> None:
        """Try another server, on a new connection; or give up with that status. `blamed`: the server is at fault;
        `spent`: it may have got something of the request."""
        server, backend = self.server, self.backend
        self.record.dropped(blamed)
        self._release()
        self.upstream = None
        if self.tried is None:
            self.tried = []
            self.repeated = False
        if not self.tried:
            self.spent = 0
            self.until = self.plane.now + backend.settings.timeouts.connect * max(backend.settings.retries, 1)
        if server is not None:
            self.tried.append(server)
        self.spent += spent
        if backend.pool is None:
            self.give_up(503, endings.BACKEND_GONE)
            return
        other = self._other(spent)
        if other is None:
            self.give_up(status, ending)
            return
        backend.row.add(reason, 1)
        self.server = other
        self.record.took(other.row)
        if backend.sticky is not None:
            backend.sticky.bind(self, other, self.action.response_edits)
        if backend.took is not None:
            backend.took(other)
        self._connect(other)

    def _other(self, spent: bool) -> Server | None:
        tried, retries, other = self.tried or [], self.backend.settings.retries, None
        if not spent and len(tried) < MOST and self.plane.now <= self.until:
            other = self.backend.pick_other(tried, again=False)
        if other is None and (self.spent if spent else len(tried)) <= retries:
            other = self.backend.pick_other(tried)
        return other

    def lost(self, upstream: Upstream, unread: bool) -> None:
        """The connection ended before the first byte of an answer. `unread`: it was an idle one that the server closed
        before the request reached it, which says nothing of the server and is safe for every method."""
        server = self.server
        stale = fields.BACKEND_RETRIES_STALE if upstream.turns > 1 else fields.BACKEND_RETRIES_LOST
        whole = self.whole or self.kept
        if whole and unread and server is not None and server.keeps_clients:
            self.backend.row.add(stale, 1)
            self._connect(server)
        elif whole and (unread or (self.payload.startswith(IDEMPOTENT) and not (self.tried and self.repeated))):
            self.repeated = True
            self.tried = self.tried or []
            self._repeat(stale, 502, endings.SERVER_CLOSED, spent=not unread)
        else:
            self.give_up(502, endings.SERVER_CLOSED)

    def again(self, upstream: Upstream, status: int) -> bool:
        """Try another server: the answer has a status of `retry_on`. False when the client is to have that answer."""
        if not self._may_repeat():
            return False
        upstream.abort()
        self.blame(endings.BAD_RESPONSE, f"the status {status} of the last server is one of retry_on")
        self._repeat(fields.BACKEND_RETRIES_STATUS, 502, endings.BAD_RESPONSE)
        return True

    def late(self) -> bool:
        """Try another server: there is no answer in time. False when the request may not be repeated."""
        upstream = self.upstream
        if upstream is None or "timeout" not in self.backend.settings.retry_on or not self._may_repeat():
            return False
        upstream.abort()
        self._repeat(fields.BACKEND_RETRIES_TIMEOUT, 504, endings.SERVER_TIMEOUT)
        return True

    def forsaken(self, ending: int) -> None:
        """Wait for the server no longer: it is down (`on_down`), or an operator cuts it."""
        state, upstream = self.state, self.upstream
        status, blamed = endings.ENDINGS[ending].status, endings.ENDINGS[ending].blame == endings.SERVER
        if state == RELAY:
            break_off(self, ending)
        elif state == TUNNEL:
            self.cut(ending)
        elif CONNECT <= state <= WAIT:
            self.upstream = None
            if upstream is not None:
                upstream.abort()
            if state == CONNECT or self._repeatable():
                self._repeat(fields.BACKEND_RETRIES_LOST, status, ending, blamed, spent=state != CONNECT)
            else:
                self.give_up(status, ending)

    def _repeatable(self) -> bool:
        return bool(self.whole or self.kept) and self.payload.startswith(IDEMPOTENT)

    def _may_repeat(self) -> bool:
        """Whether a server is there that was not tried yet, and the budget has room."""
        backend, tried = self.backend, self.tried or ()
        spent = self.spent if tried else 0
        if not self._repeatable() or spent >= backend.settings.retries or backend.pool is None:
            return False
        if all(server is self.server or server in tried for server in backend.pool.usable):
            return False
        if not self.budgeted:
            if not reserve(backend.row, fields.BACKEND_RETRYING, max(LEAST, SHARE * self.plane.in_flight(backend))):
                backend.row.add(fields.BACKEND_RETRIES_DENIED, 1)
                return False
            self.budgeted = True
        return True


def failure(reason: Exception | None) -> int:
    """The ending of a request whose connection to a server failed."""
    if isinstance(reason, ssl.SSLError):
        return endings.SERVER_TLS
    return endings.CONNECT_REFUSED if isinstance(reason, ConnectionRefusedError) else endings.CONNECT_FAILED
