"""The filter that explains answers: the field `X-Lbd-Explain` says how one came about, to clients that may know it."""

import hmac
from random import Random
from typing import NamedTuple

from lbd.exchange.choice import tried
from lbd.exchange.context import FilterChain, WorkerContext
from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.chain import Chain
from lbd.filters.place import FilterPlace
from lbd.http.message import Head
from lbd.routing.listener import Membership
from lbd.routing.target import RouteTarget
from lbd.schema.units import Network
from lbd.stats.endings import ENDINGS
from lbd.stats.scoreboard import now

FIELD = b"x-lbd-explain"
MOST = 100      # tickets at a time


class Explained(NamedTuple):
    """A route's chain, and the same with the explanation."""

    plain: FilterChain | None
    told: FilterChain


class Explanations:
    """The clients of one worker that get explanations. The worker's context has it only while there are any, so that
    requests cost nothing more."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._filter = Explain(None, FilterContext(context, Random(), {}))
        self._networks: Membership | None = None
        self._tickets: set[bytes] = set()
        self._chains: dict[RouteTarget, Explained] = {}

    def set_networks(self, networks: tuple[Network, ...]) -> None:
        """Explain answers to clients of these networks."""
        self._networks = Membership(networks) if networks else None
        self._chains.clear()
        self._choose()

    def admit(self, ticket: bytes, seconds: float) -> None:
        """Explain the answer to one request with this ticket in its field of the same name, within so many seconds."""
        if len(self._tickets) < MOST:
            self._tickets.add(ticket)
            self._context.loop.call_later(seconds, self._expire, ticket)
            self._choose()

    def chain(self, exchange: Requester) -> FilterChain | None:
        """The filters of the exchange, with the one that explains where its client may know."""
        route, request = exchange.route, exchange.request
        plain = self._context.chains.get(route)
        if request is None or (plain is not None and plain.entrance):
            return plain        # it has no route yet
        if not self.wanted(exchange.source, request.values(FIELD)):
            return plain
        known = self._chains.get(route)
        if known is None or known.plain is not plain:
            whole = plain if isinstance(plain, Chain) else Chain(self._context.process, ())
            known = self._chains[route] = Explained(plain, whole.explained(self._filter))
        return known.told

    def wanted(self, source: bytes, presented: list[bytes]) -> bool:
        """Whether the answer to the request is to be explained; a ticket is good once in each worker."""
        for ticket in [ticket for ticket in self._tickets if any(hmac.compare_digest(ticket, p) for p in presented)]:
            self._expire(ticket)
            return True
        return self._networks is not None and self._networks.has(source)

    def _expire(self, ticket: bytes) -> None:
        self._tickets.discard(ticket)
        self._choose()

    def _choose(self) -> None:
        self._context.explanations = self if self._networks is not None or self._tickets else None


class Explain(Filter):
    """Says of an answer, lbd's own too, the way of the request, and times in milliseconds. The field of a server goes,
    and the ticket is not for servers."""

    own_answers = True

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> None:
        """None: no route has it; `Explanations` adds it for clients that may know."""

    def on_request(self, exchange: Requester, head: Head) -> None:
        if head.get(FIELD) is not None:
            head.remove(FIELD)

    def on_response(self, exchange: Requester, head: Head) -> None:
        head.change((FIELD,), self._line(exchange, head.ending))

    def _line(self, exchange: Requester, ending: int) -> bytes:
        worker, route, record = self.context.worker, exchange.route, exchange.record
        backend, itself, moment = route.backend, ending != 0, now()
        parts = [f"generation={worker.generation}", f"listener={exchange.peer.listener.name}",
                 f"route={route.index if route.index >= 0 else '-'}"]
        if backend.name:
            parts += [f"backend={backend.name}", f"algorithm={backend.settings.algorithm.name}"]
        if exchange.server is not None and not itself:
            parts.append(f"server={exchange.server.name}")
            if backend.sticky is not None and exchange.server is exchange.preferred:
                parts.append("by=cookie")
        if failed := tried(exchange):
            parts.append(f"tried={','.join(server.name for server in failed)}")
        if record.chosen:
            parts.append(f"queue={_milliseconds(record.started, record.chosen)}")
        if not itself:
            parts += [f"connect={_milliseconds(record.chosen, record.reached)}" if record.reached else "connect=reused",
                      f"first-byte={_milliseconds(record.started, moment)}"]
        parts.append(f"worker={worker.lane}")
        if itself:
            parts.append(f"ending={ENDINGS[ending].name}")
        return f"X-Lbd-Explain: {'; '.join(parts)}\r\n".encode()

    def describe(self) -> str:
        return "the way of the request in X-Lbd-Explain"


def _milliseconds(first: float, last: float) -> str:
    return f"{max(last - first, 0.0) * 1000:.1f}ms"
