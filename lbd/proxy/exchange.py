"""The exchange of a request and its response: a server is chosen, and replaced where that is safe."""

from typing import Any

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.http import fields as http_fields
from lbd.http import head, replies
from lbd.log.logger import logger
from lbd.net.proxy_header import Header
from lbd.proxy.listener import Listener
from lbd.routing.router import RouteTarget
from lbd.stats import endings, fields
from lbd.stats.bound import reserve
from lbd.stats.scoreboard import Record
from lbd.upstream.breaking import break_off
from lbd.upstream.pinned import Pins
from lbd.upstream.selective import kind
from lbd.upstream.send_proxy import introduction
from lbd.upstream.upstream import HEAD, HIGH, Upstream

# What a client connection is doing. Order matters: up to READING the next bytes are a request head.
IDLE, READING, QUEUED, CONNECT, SEND, WAIT, RELAY, TUNNEL, FULL, LINGER, CLOSED = range(11)

# RFC 9110 9.2.2: repeating these has the same effect as doing them once.
IDEMPOTENT = (b"GET ", b"HEAD ", b"OPTIONS ", b"TRACE ", b"PUT ", b"DELETE ")

PIECES = 64              # most reads of a body that is kept for a repeat
LINGER_SECONDS = 10.0    # seconds for which the rest of a request is read after an early answer


class Exchange:
    """State and rules of the request in hand; `Client` adds the client's connection.

    One object per client connection, used for request after request: `payload` is what the server gets (head, and the
    body as far as it was there), kept for a repeat while `whole`; `original` the head before the route's edits, if any;
    `sent`: the request was read to its end; `tried` the servers that failed, `repeated` (while there are some): one of
    them closed the connection. `half_closed`: one side has sent its last, in a tunnel either side. `introduced`: the
    PROXY header that a proxy sent for the client. `unbounded`: the body of the answer ends with the connection.
    """

    __slots__ = ("action", "backend", "budgeted", "buffer", "bytes_in", "bytes_out", "chunks", "congested", "deadline",
                 "half_closed", "head_only", "introduced", "keep", "kept", "left", "listener", "minor", "original",
                 "payload", "peer", "pins", "plane", "preferred", "record", "repeated", "response_edits", "sent",
                 "server", "state", "transport", "tried", "trusted", "unbounded", "unsent", "upgrade", "upstream",
                 "whole")

    plane: Any
    listener: Listener
    record: Record
    transport: Any
    action: RouteTarget
    backend: Backend
    server: Server | None
    preferred: Server | None
    upstream: Upstream | None
    chunks: head.Chunks | None
    introduced: Header | None
    pins: Pins | None
    tried: list[Server] | None
    response_edits: tuple[tuple[bytes, ...], bytes] | None
    original: bytes
    buffer: bytes
    payload: bytes
    peer: bytes
    state: int
    kept: int
    left: int
    unsent: int
    minor: int
    bytes_in: int
    bytes_out: int
    deadline: float
    budgeted: bool
    congested: bool
    half_closed: bool
    head_only: bool
    keep: bool
    repeated: bool
    sent: bool
    trusted: bool
    unbounded: bool
    upgrade: bool
    whole: bool

    # The facts for algorithms (backend.algorithm.RequestFacts); read from the head as it goes to the server.

    @property
    def method(self) -> bytes:
        return self.payload[:self.payload.index(b" ")]

    @property
    def target(self) -> bytes:
        return self.payload.split(b" ", 2)[1]

    @property
    def host(self) -> bytes:
        return self.field(b"host")

    @property
    def source(self) -> bytes:
        if not self.trusted:
            return self.peer
        forwarded = head.values(self.payload, b"x-forwarded-for")
        return http_fields.client_address(forwarded, self.listener.settings.peers.trusted)

    def field(self, name: bytes) -> bytes:
        found = head.values(self.payload, name)
        return found[0] if found else b""

    def dispatch(self, server: Server | None = None) -> None:
        """Choose a server for the request, unless it is given, and send it there."""
        backend = self.backend
        pinned = self.pins.resting(backend) if self.pins is not None and server is None else None
        if pinned is not None:
            server = pinned.server
            if backend.gate is not None and backend.gate.overfull(self):
                return
        elif server is None:
            server = backend.direct(self)
            if server is None:
                server = self.select()
                if server is None:
                    return
        if backend.sticky is not None:
            backend.sticky.bind(self, server, self.action.response_edits)
        self.server = server
        self.record.took(server.row)
        if backend.took is not None:
            backend.took(server)
        self.forward(server, pinned)

    def forward(self, server: Server, upstream: Any = None) -> None:
        """Send the request there, on the given connection, the one that rests last or a new one."""
        if upstream is None and server.idle:
            upstream = server.idle.popitem()[0]
        payload = self.payload
        if upstream is not None and (not self.whole or not payload.startswith(IDEMPOTENT)):
            upstream = upstream.unbroken()
        if upstream is None:
            self._connect(server)
            return
        if self.pins is not None:
            self.pins.hold(self, upstream)
        upstream.client = self
        upstream.mode = HEAD
        upstream.turns += 1
        upstream.transport.write(payload)
        self.upstream = upstream
        if self.whole:
            self.state = WAIT
            self.deadline = self.plane.now + self.backend.server_timeout
        else:
            self.connected(upstream)

    def select(self) -> Server | None:
        """A server where the algorithm alone does not decide; None: the request waits, or is refused."""
        backend = self.backend
        if backend.gate is not None:
            backend.gate.admit(self)
            return None
        server = self.choice()
        if server is None:
            self.refuse(503, endings.NO_SERVER if backend.pool is not None else endings.BACKEND_GONE)
        return server

    def choice(self) -> Server | None:
        """The server that the client had, else the algorithm's choice."""
        return self.own() or self.backend.pick(self)

    def own(self) -> Server | None:
        """The server that the client had, while that keeps its clients."""
        own = self.preferred if self.backend.sticky is not None else None
        return own if own is not None and own.keeps_clients else None

    def _connect(self, server: Server) -> None:
        if not server.max_conns:
            server.row.add(fields.SERVER_CONNECTIONS, 1)
        elif not reserve(server.row, fields.SERVER_CONNECTIONS, server.max_conns):
            self._requeue()
            return
        told = self.backend.settings.send_proxy
        upstream = kind(self.backend.responses.retry_statuses)(server, self.plane, self, self.payload)
        if self.pins is not None:
            self.pins.hold(self, upstream)
        self.upstream = upstream
        self.state = CONNECT
        self.deadline = self.plane.now + self.backend.settings.timeouts.connect
        if not self.sent:
            self.transport.pause_reading()
        greeting = introduction(self, told) if told is not None else b""
        upstream.transport = self.plane.servers.connect(server, upstream, greeting)

    def _requeue(self) -> None:
        """Wait again: the server is full after all."""
        self.record.dropped(False)
        self._release()
        self.upstream = None
        gate = self.backend.gate
        if gate is None:            # bounded by a generation that does not have this backend any more
            self.give_up(503, endings.QUEUE_FULL)
        else:
            gate.requeue(self)

    def unqueue(self) -> None:
        """Wait no more."""
        if self.backend.gate is not None:
            self.backend.gate.leave(self)

    def overdue(self) -> bool:
        """Handle a request that has waited as long as it may; true where it goes to another server now."""
        gate = self.backend.gate
        return gate is not None and gate.overdue(self)

    def connected(self, upstream: Upstream) -> None:
        """Go on: the request, as far as it is there, was written to a connection."""
        self.upstream = upstream
        self.record.connected()
        if upstream.server.backoff.until:
            self.plane.servers.clear_failures(upstream.server)
        if not self.whole:
            if not self.kept:
                self.forget()
            self.hear()
        self.proceed()

    def forget(self) -> None:
        """Keep the body no longer; the head stays for algorithms and logs."""
        self.kept = 0
        self.payload = self.payload[:self.payload.index(b"\r\n\r\n") + 4]

    def proceed(self) -> None:
        """Wait for the answer, or for more of the request."""
        if self.sent:
            self.state = WAIT
            self.deadline = self.plane.now + self.backend.server_timeout
        else:
            self.state = SEND
            full = self.upstream is not None and self.upstream.full
            self.deadline = self.plane.now + (
                self.backend.server_timeout if full else self.listener.settings.timeouts.client_body)

    def hear(self) -> None:
        """Read from the client, unless too much waits already, here or for the server."""
        if len(self.buffer) <= HIGH and (self.upstream is None or not self.upstream.full):
            self.transport.resume_reading()

    def blocked(self, unsent: int) -> None:
        """Stop reading from the client: the server does not read, and so many bytes for it wait here."""
        self.transport.pause_reading()
        self.unsent = unsent
        if self.state == SEND:
            self.deadline = self.plane.now + self.backend.server_timeout

    def relieved(self) -> None:
        """Read from the client again: the server reads."""
        self.unsent = 0
        self.hear()
        if self.state in (SEND, WAIT):
            self.proceed()

    def misread(self, upstream: Upstream, error: str) -> None:
        """Give the request up: the server's answer is malformed."""
        upstream.abort()
        logger.debug("bad response", backend=self.backend.name, server=upstream.server.name, error=error)
        self.blame(endings.BAD_RESPONSE, error)
        self._broken(502, endings.BAD_RESPONSE)

    def blame(self, ending: int, reason: str) -> None:
        """Tell the access log the reason of the ending."""
        if self.plane.access is not None:
            self.plane.access.blame(self, ending, reason)

    def truncated(self, upstream: Upstream) -> None:
        """Break the answer off so that the client notices: the server closed in the middle of a body."""
        self._broken(502, endings.SERVER_CUT)

    def _broken(self, status: int, ending: int) -> None:
        if self.state == RELAY:
            break_off(self, ending)
        else:
            self.give_up(status, ending)

    def give_up(self, status: int, ending: int) -> None:
        """Refuse the request, and go on with the next one, which may wait already."""
        self.refuse(status, ending)
        self.advance()

    def advance(self) -> None:
        """Go on with the next request, if it is here already."""
        raise NotImplementedError

    def _release(self) -> None:
        if self.server is not None and self.backend.dropped is not None:
            self.backend.dropped(self.server)
        self.server = None

    def refuse(self, status: int, ending: int) -> None:
        """Send an error of lbd's own; the connection is kept if the request was read to its end."""
        upstream = self.upstream
        if upstream is not None:
            self.upstream = None
            upstream.abort()
        elif self.state == QUEUED:
            self.unqueue()
        keep = self.keep = self.keep and self.sent
        json, request_id = False, b""
        if self.payload:
            json, request_id = replies.wants_json(self.field(b"accept")), self.field(b"x-request-id")
        self.respond(status, replies.reply(status, keep, json, head_only=self.head_only, request_id=request_id,
                                           body=self.plane.in_force.error_bodies.get(status)), ending)

    def respond(self, status: int, answer: bytes, ending: int) -> None:
        """Send a ready answer, and end the exchange."""
        tls = self.listener.settings.tls
        if tls is not None and tls.hsts:
            answer = head.edit(answer, None, (), tls.hsts)
        self.record.status = status
        self.transport.write(answer)
        self.bytes_out = len(answer)
        self.finish(ending)

    def cut(self, ending: int, abort: bool = True) -> None:
        """End exchange and connection so that both sides notice; without `abort` the client is reset later."""
        self.keep = False
        if self.state == QUEUED:
            self.unqueue()
        self.state = CLOSED
        upstream = self.upstream
        if upstream is not None:
            self.upstream = None
            upstream.abort()
        if abort:
            self.transport.abort()
        if self.tried is not None:
            self._settle()
        self.record.finish(ending, self.bytes_in, self.bytes_out)
        if self.plane.access is not None:
            self.plane.access.note(self, ending)
        self._release()

    def finish(self, ending: int) -> None:
        """End the exchange: count it, and be ready for the next request on the connection, or close."""
        plane = self.plane
        self.record.finish(ending, self.bytes_in, self.bytes_out)
        if plane.access is not None:
            plane.access.note(self, ending)
        if self.backend.dropped is not None and self.server is not None:
            self.backend.dropped(self.server)
        self.server = self.upstream = None
        if self.tried is not None:
            self._settle()
        if self.state == TUNNEL:
            self.state = CLOSED
            self.deadline = self.plane.now + self.listener.settings.timeouts.client_body
            self.transport.close()
        elif self.keep and self.sent:
            self.payload = b""
            if self.congested:
                self.state = FULL
                self.deadline = self.plane.now + self.listener.settings.timeouts.client_body
            else:
                self.state = IDLE
                self.deadline = plane.now + self.listener.settings.client_idle
        else:
            self.leave()

    def _settle(self) -> None:
        """Give the place in the retry budget back: the last try is over."""
        self.tried = None
        if self.budgeted:
            self.budgeted = False
            self.backend.row.add(fields.BACKEND_RETRYING, -1)

    def leave(self) -> None:
        """Close when all is written; the rest of the request is read first, lest a reset takes the answer."""
        self.payload = b""
        if (self.sent and not self.buffer) or self.half_closed:
            self.buffer = b""
            self.state = CLOSED
            self.deadline = self.plane.now + self.listener.settings.timeouts.client_body
            self.transport.close()
            return
        self.buffer = b""
        self.state = LINGER
        self.deadline = self.plane.now + LINGER_SECONDS
        self.transport.write_eof()
        self.transport.resume_reading()
