"""The client connection: reads requests strictly, streams their bodies, and keeps both sides at one pace."""

from typing import Any

from lbd.http import head, replies
from lbd.http.faults import UNKNOWN_CODING
from lbd.log.logger import logger
from lbd.proxy.arrival import Arrival
from lbd.proxy.exchange import (
    CLOSED,
    FULL,
    IDEMPOTENT,
    IDLE,
    LINGER,
    PIECES,
    QUEUED,
    READING,
    RELAY,
    SEND,
    TUNNEL,
    WAIT,
)
from lbd.proxy.listener import Listener
from lbd.proxy.refusals import reject
from lbd.stats import endings
from lbd.stats.scoreboard import Record
from lbd.upstream import fast_path
from lbd.upstream.breaking import break_off
from lbd.upstream.pinned import sign_on
from lbd.upstream.upstream import HEAD, HIGH, REST

SIMPLE: int = head.SIMPLE
SIMPLE_KEPT: int = head.SIMPLE | head.WHOLE | head.KEEP

# Endings of heads that are refused, by the status that the scanner gives.
REFUSED = {
    400: endings.BAD_REQUEST,
    413: endings.BODY_TOO_LARGE,
    414: endings.URI_TOO_LONG,
    431: endings.HEAD_TOO_LARGE,
    501: endings.METHOD_REFUSED,
}


class Client(Arrival):
    """The callbacks of a client's transport, and the methods that the server side calls."""

    __slots__ = ()

    def __init__(self, plane: Any, listener: Listener) -> None:
        self.plane = plane
        self.listener = listener
        self.record = Record(plane.assembly.process)
        self.transport = None
        self.server = self.preferred = self.upstream = self.chunks = self.tried = self.response_edits = None
        self.pins = None
        self.introduced = None
        self.buffer = self.payload = self.original = self.peer = b""
        self.state = IDLE
        self.left = self.unsent = self.minor = self.bytes_in = self.bytes_out = 0
        self.deadline = 0.0
        self.congested = self.half_closed = self.head_only = self.upgrade = self.whole = self.trusted = False
        self.repeated = self.budgeted = self.unbounded = False
        self.kept = self.spent = 0
        self.until = 0.0
        self.keep = self.sent = True

    data_received = fast_path.request

    def receive(self, data: bytes) -> bool | None:
        """Handle the next request, more of a body, or bytes that have to wait. True: a whole request was there."""
        state = self.state
        if state <= READING:
            if self.buffer:
                data = self.buffer + data
                self.buffer = b""
            self.read(data)
            if self.buffer and self.state == IDLE:
                self.advance()
            return self.whole
        if state == TUNNEL:
            self.pass_on(data)
        elif state == LINGER:
            pass          # dropped: the answer is on its way, and the client still sends
        elif state != CLOSED and not self.sent:
            self.upload(data)
        elif state != CLOSED:
            self.buffer += data
            if len(self.buffer) > HIGH:
                self.transport.pause_reading()
        return None

    def read(self, data: bytes) -> None:
        """Scan a request head, with the bytes behind it."""
        settings = self.listener.settings
        self.judge(settings.request.scan(data, 0, self.peer, settings.proto, self.trusted), data)

    def judge(self, flags: int, data: bytes) -> None:
        """Handle a head that was just scanned, with the bytes behind it."""
        if flags <= 0:
            self._unread(flags, data)
            return
        listener = self.listener
        settings = listener.settings
        request = settings.request
        action = self.action = settings.route(request)
        backend = self.backend = action.backend
        if flags >= SIMPLE and action.plain and backend.sticky is None:
            self.minor = 1
            self.head_only = self.upgrade = False
            self.whole = self.sent = True
            self.keep = flags == SIMPLE_KEPT and not listener.leaving
            self.bytes_in = len(data)
            self.bytes_out = 0
            self.record.begin(action.row, backend.row)
            self.response_edits = action.response_edits
            self.original = b""
            self.payload = request.out
            self.dispatch()
        else:
            self._particular(flags, request, data)

    def _particular(self, flags: int, request: head.Request, data: bytes) -> None:
        """Handle a request that is not the common one: of HTTP/1.0, with a body, edited, answered here, and so on."""
        settings, action, backend = self.listener.settings, self.action, self.backend
        self.minor = request.minor
        self.head_only = request.method == b"HEAD"
        self.keep = flags & head.KEEP != 0 and not self.listener.leaving
        self.upgrade = flags & head.UPGRADE != 0
        self.bytes_out = 0
        self.record.begin(action.row, backend.row)
        self.response_edits = action.response_edits
        payload = request.out
        if request.signs:
            sign_on(self)
        if not self.minor and not request.host:
            payload = head.edit(payload, None, (b"host",), self._host_line())
        self.original = b""
        if action.changes:
            self.original = payload
            payload = action.change(payload, request.target, self.transport)
        if backend.sticky is not None:
            payload = backend.sticky.admit(self, payload)
        if flags & head.WHOLE:
            self.whole = self.sent = True
            self.bytes_in = request.end
            if flags & head.LENGTH:
                payload += data[request.head:request.end]
            if flags & head.MORE:
                self.buffer = data[request.end:]
            self.payload = payload
            fits = settings.max_body is None or request.length <= settings.max_body
            if action.answers is None and request.hops and fits:
                self.dispatch()
            else:
                self._answer(request)
            return
        self._stream(flags, request, payload, data)

    def _host_line(self) -> bytes:
        """A Host for a request of HTTP/1.0 that has none: the address that the client connected to."""
        name = self.transport.get_extra_info("sockname")
        if not isinstance(name, tuple):
            return b"Host: localhost\r\n"
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return b"Host: %b:%d\r\n" % (host.encode(), name[1])

    def _stream(self, flags: int, request: head.Request, payload: bytes, data: bytes) -> None:
        """Begin a request whose body is not complete yet."""
        self.whole = self.sent = False
        settings = self.listener.settings
        self.payload = payload
        self.bytes_in = request.head
        rest = data[request.head:]
        if flags & head.CHUNKED:
            self.chunks = head.Chunks(False, settings.max_body or 0, self.action.removed, True, settings.underscores)
            if settings.max_body == 0:          # to the kernel that is no limit
                self.refuse(413, endings.BODY_TOO_LARGE)
                return
        else:
            self.chunks = None
            self.left = request.length
        fits = settings.max_body is None or request.length <= settings.max_body
        if request.hops == 0 or self.action.answers or not fits:
            self.keep = False
            self._answer(request)
            return
        if rest:
            rest = self._body(rest)
            if self.state == LINGER or self.state == CLOSED:
                return
            self.payload += rest
            self.whole = self.sent
        keeps = self.payload.startswith(IDEMPOTENT) and len(rest) <= self.backend.settings.retry_buffer
        self.kept = PIECES if keeps else 0
        self.dispatch()

    def _answer(self, request: head.Request) -> None:
        """Send lbd's own answer, by the route or by a limit."""
        action = self.action
        settings = self.listener.settings
        if settings.max_body is not None and request.length > settings.max_body:
            self.refuse(413, endings.BODY_TOO_LARGE)
        elif action.answers is not None:
            status, answer, ending = action.answers(request, self.keep, self.plane.in_force.error_bodies)
            self.respond(status, answer, ending)
        else:
            self.respond(200, replies.final_hop(self.payload, self.keep), endings.ANSWERED)

    def _unread(self, flags: int, data: bytes) -> None:
        """Wait for the rest of a head, or refuse it."""
        if flags == 0:
            if self.state == IDLE:
                self.state = READING
                self.deadline = self.plane.now + self.listener.settings.timeouts.client_header
            self.buffer = data
            return
        status = -flags
        error = self.listener.settings.request.error
        logger.debug("bad request", listener=self.listener.name, client=self.peer.decode(), error=error)
        ending = endings.CODING_REFUSED if error == UNKNOWN_CODING else REFUSED.get(status, endings.BAD_REQUEST)
        reject(self, status, ending, data, error)

    def upload(self, data: bytes) -> None:
        """Send more of the body."""
        out = self._body(data)
        upstream = self.upstream
        if self.state == LINGER or self.state == CLOSED or upstream is None:
            return
        if out:
            if self.kept:
                self._keep(out)
            upstream.transport.write(out)
        if self.state == RELAY:
            self.deadline = self.plane.now + self.backend.server_timeout
        else:
            self.proceed()

    def _keep(self, out: bytes) -> None:
        """Keep more of the body for a repeat, as far as there is room."""
        self.kept -= 1
        most = self.payload.index(b"\r\n\r\n") + 4 + self.backend.settings.retry_buffer
        if self.kept and len(self.payload) + len(out) <= most:
            self.payload += out
        else:
            self.forget()

    def _body(self, data: bytes) -> bytes:
        """The part of the data that belongs to the body; data behind its end waits in `buffer`, and `sent` is set."""
        if self.chunks is None:
            extra = len(data) - self.left
            if extra > 0:
                self.buffer = data[self.left:]
                data = data[:self.left]
            self.left -= len(data)
            self.bytes_in += len(data)
            self.sent = self.left == 0
            return data
        chunks = self.chunks
        result = chunks.feed(data, 0)
        if result < 0:
            self.keep = False
            self.blame(REFUSED[-result], chunks.error)
            if self.state == RELAY:
                break_off(self, REFUSED[-result])
            else:
                self.refuse(-result, REFUSED[-result])
            return b""
        self.bytes_in += len(data)
        if result:
            self.sent = True
            self.buffer = data[chunks.end:]
            self.chunks = None
        return chunks.out

    def advance(self) -> None:
        """Handle the next requests, as far as they are here already."""
        while self.state <= READING and self.buffer:
            data = self.buffer
            self.buffer = b""
            self.read(data)
            if self.state == READING:
                break
        if self.half_closed:
            self._last()
        if self.sent or self.state == READING:
            self.hear()

    def _last(self) -> None:
        """Note that the client sends no more bytes."""
        if self.state == READING:
            self.plane.count(endings.CLIENT_CLOSED)
            self.dismiss()
        elif self.state == IDLE:
            self.dismiss()
        elif QUEUED <= self.state <= RELAY and not self.sent:
            self.cut(endings.CLIENT_CLOSED)
        elif not self.buffer:
            self.keep = False

    def answered(self, keep: bool) -> None:
        """Note that an answer begins whose body follows in pieces; without `keep` the connection ends with it."""
        self.state = RELAY
        self.unbounded = not keep
        self.keep = self.keep and self.sent and keep

    def interim(self, data: bytes) -> None:
        """Relay a 1xx answer; a server that sends many waits for a client that does not read."""
        self.transport.write(data)
        if self.congested and self.upstream is not None:
            self.upstream.transport.pause_reading()

    def relay(self, data: bytes) -> None:
        """Relay bytes of the answer."""
        self.deadline = self.plane.now + (
            self.patience if self.state == TUNNEL else self.backend.settings.timeouts.server)
        self.transport.write(data)
        self.bytes_out += len(data)

    def eof_received(self) -> bool:
        """Note that the client sends no more; requests that are here are still answered, unless `abort_on_close`."""
        state, upstream = self.state, self.upstream
        if state == TUNNEL and upstream is not None:
            return self.client_ended(upstream)
        if state == FULL and self.buffer:
            self.half_closed = True
            return True
        if QUEUED <= state <= RELAY:
            if self.sent and (self.buffer or not self.backend.settings.abort_on_close):
                self.half_closed = True
                self.keep = self.keep and self.buffer != b""
                return True
            self.cut(endings.CLIENT_CLOSED)
        elif state == READING:
            self.state = CLOSED
            self.plane.count(endings.CLIENT_CLOSED)
        return state == CLOSED      # then the socket stays open: a reset waits for the rest of an answer

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request of a client that is gone, and the connection to the server."""
        if self.state != CLOSED:
            self._gone(exc)
        if self.pins is not None:
            self.pins.close()
        self.transport = None
        self.plane.admission.disconnected(self)

    def _gone(self, exc: Exception | None) -> None:
        state = self.state
        if state == QUEUED:
            self.unqueue()
        self.state = CLOSED
        if QUEUED <= state <= TUNNEL:
            if state == TUNNEL:
                ending = endings.TUNNEL_CLOSED
                self.tally()
            else:
                ending = endings.CLIENT_CLOSED if exc is None else endings.CLIENT_RESET
            self.cut(ending)
        elif state == READING:
            self.plane.count(endings.CLIENT_CLOSED if exc is None else endings.CLIENT_RESET)
        self.buffer = self.payload = b""

    def pause_writing(self) -> None:
        """Have the server and further requests wait: the client is slow to read."""
        self.congested = True
        self.unsent = self.transport.get_write_buffer_size()
        if self.upstream is not None and self.state >= RELAY:
            self.upstream.transport.pause_reading()
        if self.state == RELAY:
            self.deadline = self.plane.now + self.listener.settings.timeouts.client_body

    def resume_writing(self) -> None:
        """Let server and requests go on: the client reads again."""
        self.congested = False
        self.unsent = 0
        if self.upstream is not None and SEND <= self.state <= TUNNEL:
            self.upstream.transport.resume_reading()
            if self.state == RELAY:
                self.deadline = self.plane.now + self.backend.server_timeout
        if self.state == FULL:
            self.state = IDLE
            self.deadline = self.plane.now + self.listener.settings.client_idle
            self.advance()


fast_path.serve(Client, IDLE, WAIT, REST, HEAD, IDEMPOTENT)
