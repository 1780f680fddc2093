"""The two ends of an exchange: the stream of its client, the stream of its server, and the connections of servers."""

from collections.abc import Sequence
from typing import Protocol

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange.retry import Retries
from lbd.http.fields import client_address
from lbd.http.message import Head
from lbd.net.proxy_header import Header
from lbd.net.transport import Transport
from lbd.routing.listener import Listener
from lbd.routing.target import RouteTarget
from lbd.stats.scoreboard import Record


class Peer:
    """The other end of a client connection: facts that all exchanges on it share.

    `address`: the client's address as text, b"" on a Unix socket. `counted`: that is the client's, not that of a proxy
    in front of it. `trusted`: its fields may say for whom it forwards. `introduced`: the PROXY header that it sent.
    `pins`: the backends at which it signs on, with its connection to each (`lbd.exchange.pinned`).
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.transport: Transport | None = None
        self.connection: ClientConnection | None = None
        self.address = b""
        self.counted = True
        self.trusted = False
        self.introduced: Header | None = None
        self.pins: dict[Backend, ServerConnection | None] | None = None


class ClientConnection(Protocol):
    """A client connection as timers and draining see it. `deadline`: monotonic seconds."""

    peer: Peer
    deadline: float

    @property
    def idle(self) -> bool:
        """Whether it waits between two requests."""

    def requests(self) -> "Sequence[Requester]":
        """The exchanges on it."""

    def expire(self) -> None:
        """Act on the deadline, which has passed."""

    def dismiss(self) -> None:
        """Close the idle connection in good order."""

    def stop(self, ending: int) -> None:
        """Cut the connection, whatever it is doing."""


class Requester:
    """An exchange as its filters and the side of its server see it: the request, and what they tell it.

    `request`: the head as it goes to the server, None for a tcp connection. `body`: bytes behind it, as far as they are
    here and may have to be sent. `preferred`: the server that the client had. `keep`: the client's connection is to go
    on after the answer. `sent`: the request was read to its end. `replay`: the request, as far as it was sent, is in
    `request` and `body`. `notes`: what filters remember of the exchange, by filter.
    """

    def __init__(self, peer: Peer, record: Record) -> None:
        self.peer = peer
        self.record = record
        self.route: RouteTarget
        self.server: Server | None = None
        self.preferred: Server | None = None
        self.retries: Retries | None = None
        self.request: Head | None = None
        self.notes: dict[object, object] | None = None
        self.body = b""
        self.state = self.bytes_in = self.bytes_out = 0
        self.keep = self.sent = self.replay = True

    # The facts for algorithms (backend.algorithm.RequestFacts); of a tcp connection the source alone is known.

    @property
    def method(self) -> bytes:
        return self.request.method if self.request is not None else b""

    @property
    def target(self) -> bytes:
        return self.request.target if self.request is not None else b""

    @property
    def host(self) -> bytes:
        return self.field(b"host")

    @property
    def source(self) -> bytes:
        peer, request = self.peer, self.request
        if not peer.trusted or request is None:
            return peer.address
        return client_address(request.values(b"x-forwarded-for"), peer.listener.settings.peers.trusted)

    def field(self, name: bytes) -> bytes:
        return (self.request.get(name) or b"") if self.request is not None else b""

    # Filters

    def hold(self, number: int, seconds: float) -> None:
        """Wait for so long until `release`; `number` is that of the filter to go on with."""
        raise NotImplementedError

    def release(self, by: object = None) -> None:
        """Go on after a wait, or do not begin it where the filter has not returned its hold yet; nothing where the
        exchange is over, or where another filter than `by` holds it."""
        raise NotImplementedError

    def respond(self, status: int, answer: bytes, ending: int) -> None:
        """Send lbd's own answer, whose bytes are ready, and end the exchange."""
        raise NotImplementedError

    def opened(self, upstream: "Upstream", fresh: bool) -> None:
        """Go on: the request, as far as it is here, was written to a connection; a `fresh` one was opened for it."""
        raise NotImplementedError

    def take(self, server: Server) -> None:
        """Count the request as one of the server's."""
        raise NotImplementedError

    def connect(self, server: Server) -> None:
        """Open a connection to the server; wait again where another worker took its last place."""
        raise NotImplementedError

    def drop_server(self, blamed: bool) -> None:
        """Have nothing more to do with the server; `blamed`: it failed."""
        raise NotImplementedError

    def refuse(self, status: int, ending: int) -> None:
        """Send an error of lbd's own, and end the exchange; a tcp connection is cut."""
        raise NotImplementedError

    def broken(self, ending: int) -> None:
        """Break the answer off, or send an error where it has not begun: the server's connection is of no use now."""
        raise NotImplementedError

    def responded(self, head: Head, data: bytes, end: bool) -> None:
        """Pass on the head of an answer 1xx, or of the final one, and the part of its body that came with it; `end`:
        that is all, and stands behind the head in its text already."""
        raise NotImplementedError

    def received(self, data: bytes, end: bool, trailers: bytes) -> None:
        """Pass on more of the answer's body; with `end` the trailer lines of one that passes without its framing. In a
        tunnel `end` says that the server sends no more."""
        raise NotImplementedError

    def switched(self, head: Head | None, data: bytes) -> None:
        """Begin a tunnel: the server agrees, and sent these bytes already."""
        raise NotImplementedError

    def finish(self, ending: int) -> None:
        """End the exchange in good order, and let its client go on."""
        raise NotImplementedError

    def upstream_full(self, full: bool) -> None:
        """Have the client wait, since the server does not read, or let it go on."""
        raise NotImplementedError


class Upstream(Protocol):
    """The stream of an exchange to its server. `full`: the server does not read what was sent. `uses`: requests that
    its connection was for."""

    server: Server
    full: bool

    @property
    def transport(self) -> Transport | None: ...

    def send(self, data: bytes, end: bool, /) -> None:
        """Send more of the request's body. In a tunnel `end` says that the client sends no more."""

    def pause(self) -> None:
        """Receive no more of the answer."""

    def resume(self) -> None:
        """Receive again."""

    def reset(self) -> None:
        """Give the exchange up: the server is to notice, and the exchange hears no more."""

    def close(self) -> None:
        """End the stream of a tunnel in good order."""


class ServerConnection:
    """A connection to a server, in its server's `idle` while `free`, the number of streams that may be opened on it, is
    not 0. `since`: monotonic seconds, when it became idle. `uses`: requests that it was for. `owner`: the client that
    signed on by it, with which it rests (`lbd.exchange.pinned`). `name`: that of the requests that it is for, "" for
    those without one; None: for all."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.free = 0
        self.uses = 0
        self.since = 0.0
        self.owner: Peer | None = None
        self.name: str | None = None

    def open(self, exchange: Requester) -> Upstream | None:
        """Send the request; None where the server has closed the connection and the request may go only once."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the idle connection."""
        raise NotImplementedError


class Downstream:
    """The stream of an exchange to its client. `deadline`: monotonic seconds, when the exchange's patience ends.
    `unsent`: bytes that the slow side had not taken when that was last looked at."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.deadline = 0.0
        self.unsent = 0

    def respond(self, head: Head, data: bytes, end: bool) -> None:
        """Send the head of an answer, and the part of its body that came with it; `end`: that is all, and stands behind
        the head in its text already. After a 101 a tunnel follows, after any other 1xx another head."""
        raise NotImplementedError

    def send(self, data: bytes, end: bool, trailers: bytes) -> None:
        """Send more of the answer's body; with `end` the trailer lines of one that passes without its framing. In a
        tunnel `end` says that the server sends no more."""
        raise NotImplementedError

    def pause(self) -> None:
        """Receive no more of the request."""
        raise NotImplementedError

    def resume(self) -> None:
        """Receive again, unless too much waits here."""
        raise NotImplementedError

    def reset(self, ending: int) -> None:
        """End the stream so that the client notices that the answer is not whole, or that there is none."""
        raise NotImplementedError

    def ended(self, whole: bool) -> None:
        """Go on: the exchange is over. `whole`: its answer was sent to the end."""
        raise NotImplementedError

    def left(self) -> bool:
        """Whether the client is gone before it sent all of its request, which is not being read now."""
        return False
