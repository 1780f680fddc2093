"""The surroundings of the exchanges of one worker: its clock, its figures, and the parts that they ask."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange.streams import Peer, Requester, ServerConnection, Upstream
from lbd.http.message import Head
from lbd.net.transport import Transport
from lbd.net.wakeups import Wakeups
from lbd.routing.target import RouteTarget
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board, Row


class Refusal(NamedTuple):
    """The log's facts of a refused message: `head` as the scanner writes one, `minor` the version, -1 for none."""

    head: bytes
    minor: int
    started: float        # seconds, monotonic, as precise as the deadline of a head
    bytes_in: int
    bytes_out: int
    reason: str | None = None


class ExchangeLog(Protocol):
    """The access log."""

    def note(self, exchange: Requester, ending: int, /) -> None:
        """Note an exchange that is over and counted."""

    def blame(self, exchange: Requester, ending: int, reason: str, /) -> None:
        """Remember the reason of an ending, should the exchange end so."""

    def refused(self, peer: Peer, status: int, ending: int, refusal: Refusal, /) -> None:
        """Note bytes that are no request."""


class Connector(Protocol):
    """Opens connections to servers."""

    def connect(self, exchange: Requester, server: Server, /) -> Upstream:
        """Begin a connection to the server, which sends the request once it stands."""

    def closes(self, connection: ServerConnection, transport: Transport, /) -> None:
        """Give a connection that is being closed the time to send the rest."""

    def closed(self, connection: ServerConnection, /) -> None:
        """Note that a connection is gone."""

    def mark_failed(self, server: Server | None, /) -> None:
        """Make the server the last choice until it answers again: a connect to it failed."""

    def clear_failures(self, server: Server, /) -> None:
        """Choose the server as any other: it was reached again."""


class FilterChain:
    """The filters of a route, in order. `sends` and `receives`: some read the body of requests, of answers. `entrance`:
    these are a listener's own, and a request that they let pass gets its route then. `asking`: the filter that is asked
    now, None once it wants no hold."""

    def __init__(self) -> None:
        self.sends = self.receives = self.entrance = False
        self.asking: object = None

    def asker(self, number: int) -> object:
        """The filter that was asked before that one."""
        raise NotImplementedError

    def admit(self, exchange: Requester, start: int) -> bool:
        """Ask the filters from that one on; False where one answered, or holds the exchange."""
        raise NotImplementedError

    def respond(self, exchange: Requester, head: Head, data: bytes, end: bool) -> bytes:
        """Change the head of an answer, and the part of its body that came with it, which is returned."""
        raise NotImplementedError

    def answer(self, exchange: Requester, head: Head) -> None:
        """Change the head of lbd's own answer."""
        raise NotImplementedError

    def send(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go to the server in the place of some of the request's body."""
        raise NotImplementedError

    def receive(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go to the client in the place of some of the answer's body."""
        raise NotImplementedError

    def end(self, exchange: Requester, ending: int) -> None:
        """Tell the filters that the exchange is over."""
        raise NotImplementedError


class ChainSource(Protocol):
    """A source of other chains than those of routes: the explanations of answers."""

    def chain(self, exchange: Requester, /) -> FilterChain | None:
        """The filters of the exchange, with the one that explains where its client may know."""


class Ticking(Protocol):
    """A stream that no client connection has, and that looks after its deadlines itself."""

    peer: Peer

    def requests(self) -> Sequence[Requester]:
        """The exchange on it."""

    def tick(self, now: float, /) -> None:
        """Act on deadlines that have passed; `now`: monotonic seconds."""

    def put_off(self, seconds: float, /) -> None:
        """Have its deadlines pass so much later."""

    def stop(self, ending: int, /) -> None:
        """Cut it, whatever it is doing; who made it hears of that."""

    def cancel(self) -> None:
        """Give it up; who made it hears nothing."""


class Resets(Protocol):
    """The connections that are reset once everything written to them has arrived."""

    def add(self, transport: Transport, /) -> None:
        """Reset this connection then; its owner limits the time."""


class WorkerContext:
    """The surroundings.

    `now` is the clock of the last tick, `clock` the clock itself, both in monotonic seconds; `lane` this process's lane
    of the board, `process` its row; `error_bodies` those of lbd's own answers, by status; `chains` the filters of
    routes that have some; `streams` the requests of filters, to be told of each tick. `access`: while lines are
    wanted; `explanations`: while some are.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, board: Board, lane: int, clock: Callable[[], float],
                 wakeups: Wakeups) -> None:
        self.loop = loop
        self.board = board
        self.lane = lane
        self.clock = clock
        self.now = clock()
        self.wakeups = wakeups
        self.process: Row = board.row(lane, scoreboard.PROCESS, 0)
        self.error_bodies: Mapping[int, bytes] = {}
        self.generation = 0
        self.access: ExchangeLog | None = None
        self.chains: dict[RouteTarget, FilterChain] = {}
        self.explanations: ChainSource | None = None
        self.streams: set[Ticking] = set()
        self.connector: Connector
        self.resets: Resets

    def count(self, ending: int) -> None:
        """Count the end of something that never became a request."""
        self.process.add(fields.PROCESS_ENDINGS + ending, 1)

    def in_flight(self, backend: Backend) -> float:
        """Requests to the backend of all workers."""
        return self.board.total(scoreboard.BACKEND, backend.row.slot, fields.BACKEND_IN_FLIGHT)

    def blame(self, exchange: Requester, ending: int, reason: str) -> None:
        """Tell the access log the reason of an ending, should the exchange end so."""
        if self.access is not None:
            self.access.blame(exchange, ending, reason)
