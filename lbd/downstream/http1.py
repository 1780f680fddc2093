"""The HTTP/1 connection of a client (RFC 9112): reads requests strictly, one exchange after the other, and writes their
answers."""

from lbd.downstream import refusals
from lbd.downstream.admission import ClientAdmission
from lbd.downstream.request_body import RequestBody
from lbd.downstream.states import BUSY, CLOSED, FULL, IDLE, LINGER, READING
from lbd.exchange import deadlines, pinned
from lbd.exchange.exchange import Exchange
from lbd.exchange.states import HIGH, TUNNEL
from lbd.exchange.streams import Downstream, Peer
from lbd.http import head as flags_of
from lbd.http.faults import UNKNOWN_CODING
from lbd.http.head import Chunks
from lbd.http.message import Head
from lbd.log.logger import logger
from lbd.net.stream import Sock
from lbd.net.transport import Transport
from lbd.routing.target import RouteTarget
from lbd.stats import endings

LINGER_SECONDS = 10.0    # seconds for which the rest of a request is read after an early answer

KEEP, LENGTH, CHUNKED, UNTIL_CLOSE = flags_of.KEEP, flags_of.LENGTH, flags_of.CHUNKED, flags_of.UNTIL_CLOSE
WHOLE, MORE, SIMPLE = flags_of.WHOLE, flags_of.MORE, flags_of.SIMPLE
CLIENT_CLOSED = endings.CLIENT_CLOSED


class Http1Connection(Downstream):
    """A client connection, and the stream of one exchange at a time.

    `buffer`: bytes that wait for their turn. `body`: of the request, while it arrives. `wrapped`: the answer is sent in
    chunks made here; `unbounded`: its body ends with the connection. `congested`: the client does not read.
    `half_closed`: it sends no more. `advancing`: requests that are here already are being handled."""

    def __init__(self, admission: ClientAdmission, peer: Peer) -> None:
        self.admission = admission
        self.context = admission.context
        self.peer = peer
        self.transport: Transport
        self.exchange: Exchange | None = None
        self.body: RequestBody | None = None
        self.buffer = b""
        self.state = IDLE
        self.deadline = 0.0
        self.unsent = 0
        self.congested = self.half_closed = self.advancing = self.wrapped = self.unbounded = False

    # Called by the transport

    def connection_made(self, transport: Transport) -> None:
        """Admit or reject a new client."""
        self.transport = transport
        self.deadline = self.context.now + self.peer.listener.client_header
        if self.admission.add(self, self.peer, transport) and not self.peer.listener.settings.open:
            self.admission.enter(self)

    def admitted(self) -> None:
        """Begin, after another stage of the connection: the client speaks first."""

    def data_received(self, data: bytes) -> bool:
        """Handle the next request, more of a body, or bytes that have to wait. True: a whole request was there."""
        state, exchange = self.state, self.exchange
        if state <= READING:
            if self.buffer:
                data = self.buffer + data
                self.buffer = b""
            read(self, data)
            if self.buffer and self.state == IDLE:
                advance(self)
            exchange = self.exchange
            return exchange is None or exchange.sent
        if exchange is None:
            if state == FULL:
                self.buffer += data     # else dropped: the answer is on its way, and the client still sends
        elif exchange.state == TUNNEL:
            exchange.bytes_in += len(data)
            exchange.client_data(data, False)
        elif not exchange.sent:
            upload(self, exchange, data)
        else:
            self.buffer += data
        if len(self.buffer) > HIGH:
            self.transport.pause_reading()
        return False

    def eof_received(self) -> bool:
        """Note that the client sends no more; requests that are here are still answered, unless `abort_on_close`."""
        state, exchange = self.state, self.exchange
        if exchange is not None:
            if exchange.state == TUNNEL:
                exchange.client_data(b"", True)
                return self.exchange is exchange
            if exchange.sent and (self.buffer or not exchange.backend.settings.abort_on_close):
                self.half_closed = exchange.half_closed = True
                exchange.keep = exchange.keep and self.buffer != b""
                return True
            exchange.cut(endings.CLIENT_CLOSED)
        elif state == FULL and self.buffer:
            self.half_closed = True
            return True
        elif state == READING:
            self.state = CLOSED
            self.context.count(endings.CLIENT_CLOSED)
        return state == CLOSED      # then the socket stays open: a reset waits for the rest of an answer

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the exchange of a client that is gone, and its connections to servers."""
        exchange, ending = self.exchange, CLIENT_CLOSED if exc is None else endings.CLIENT_RESET
        if exchange is not None:
            exchange.cut(endings.TUNNEL_CLOSED if exchange.state == TUNNEL else ending)
        elif self.state == READING:
            self.context.count(ending)
        self.state, self.buffer = CLOSED, b""
        if self.peer.pins is not None:
            pinned.close(self.peer)
        self.admission.disconnected(self)

    def pause_writing(self) -> None:
        """Have the server and further requests wait: the client is slow to read."""
        self.congested = True
        self.unsent = self.transport.get_write_buffer_size()
        if self.exchange is not None:
            self.exchange.client_full(True)

    def resume_writing(self) -> None:
        """Let server and requests go on: the client reads again."""
        self.congested = False
        self.unsent = 0
        if self.exchange is not None:
            self.exchange.client_full(False)
        elif self.state == FULL:
            await_request(self)

    # Called by the exchange

    def respond(self, head: Head, data: bytes, end: bool) -> None:
        exchange = self.exchange
        if not end and exchange is not None and head.status >= 200 and exchange.request is not None:
            chunked, minor = head.flags & CHUNKED != 0, exchange.request.minor
            self.wrapped = chunked and minor > 0 and not head.framed
            self.unbounded = head.flags & UNTIL_CLOSE != 0 or (chunked and minor == 0)
            exchange.keep = exchange.keep and exchange.sent and not self.unbounded
        text, transport = head.compose(), self.transport
        if data:
            text += b"%x\r\n%b\r\n" % (len(data), data) if self.wrapped else data
        if end and exchange is not None and not exchange.keep and exchange.sent and not self.buffer:
            transport.write_last(text)
        else:
            write(transport, text)

    def send(self, data: bytes, end: bool, trailers: bytes) -> None:
        if self.wrapped:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if end:
                data += b"0\r\n%b\r\n" % trailers
        if data:
            self.transport.write(data)
        if end and self.exchange is not None and self.exchange.state == TUNNEL:
            self.transport.write_eof()

    def pause(self) -> None:
        self.transport.pause_reading()

    def resume(self) -> None:
        exchange = self.exchange
        if exchange is not None and exchange.state == TUNNEL and self.buffer:
            data, self.buffer = self.buffer, b""
            exchange.bytes_in += len(data)
            exchange.client_data(data, False)
        if len(self.buffer) <= HIGH:
            self.transport.resume_reading()

    def reset(self, ending: int) -> None:
        self.exchange, self.body, self.state = None, None, CLOSED
        self.transport.abort()

    def ended(self, whole: bool) -> None:
        exchange, self.exchange, self.body = self.exchange, None, None
        unbounded, self.wrapped, self.unbounded = self.unbounded, False, False
        if exchange is None or self.state == CLOSED:
            return
        if unbounded and not whole:
            self.state = CLOSED
            self.deadline = self.context.now + self.peer.listener.settings.timeouts.client_body
            self.context.resets.add(self.transport)
        elif not exchange.keep or not exchange.sent:
            leave(self, exchange.sent)
        elif self.congested:
            self.state = FULL
            self.deadline = self.context.now + self.peer.listener.settings.timeouts.client_body
        else:
            await_request(self)

    def left(self) -> bool:
        body = self.body
        return self.transport.peer_left(body.left if body is not None else 0)

    # Called by timers and draining

    @property
    def idle(self) -> bool:
        return self.state == IDLE and not self.buffer

    def requests(self) -> list[Exchange]:
        return [self.exchange] if self.exchange is not None else []

    def expire(self) -> None:
        """Act on a deadline that has passed, by the state of the connection."""
        state = self.state
        if self.exchange is not None:
            deadlines.expire(self.exchange)
        elif state == IDLE:
            self.dismiss()
        elif state == READING:
            reject(self, 408, endings.CLIENT_HEADER_TIMEOUT, self.buffer)
        elif not deadlines.progresses(self, self.transport, state != FULL, self.context.now):
            self.stop(endings.CLIENT_SLOW)

    def dismiss(self) -> None:
        """Close an idle connection in good order."""
        self.state = CLOSED
        self.deadline = self.context.now + self.peer.listener.settings.timeouts.client_body
        self.transport.close()

    def stop(self, ending: int) -> None:
        """Cut the connection, whatever it is doing."""
        if self.exchange is not None:
            self.exchange.cut(ending)
        else:
            self.state = CLOSED
            self.transport.abort()


def write(transport: Transport, text: bytes) -> None:
    """Write to the transport."""
    if isinstance(transport, Sock):
        sock = transport        # called without a lookup
        sock.write(text)
    else:
        transport.write(text)


def read(connection: Http1Connection, data: bytes) -> None:
    """Scan a request head, with the bytes behind it, and begin the exchange."""
    peer = connection.peer
    settings = peer.listener.settings
    scanner = settings.request
    flags = scanner.scan(data, 0, peer.address, settings.proto, peer.trusted)
    if flags <= 0:
        unread(connection, flags, data)
        return
    head = scanner.message
    route = settings.route(head)
    exchange = connection.exchange = Exchange(connection.context, peer, connection)
    connection.state = BUSY
    exchange.keep = flags & KEEP != 0 and not peer.listener.leaving
    exchange.request = head
    if flags >= SIMPLE:
        exchange.bytes_in = len(data)
        exchange.begin(head, route)
    else:
        exchange.begin(head, route, prepare(connection, exchange, head, route, data))


def prepare(connection: Http1Connection, exchange: Exchange, head: Head, route: RouteTarget, data: bytes) -> int:
    """Get a request ready that is not the common one; returns the ending with which it is refused, else 0."""
    settings, flags = connection.peer.listener.settings, head.flags
    scanner = settings.request
    start, stop = scanner.head, scanner.end
    if not head.minor and not head.host:
        head.change((b"host",), refusals.host_line(connection.transport))
        head.settle()       # to logs it is the client's
    if flags & WHOLE:
        exchange.bytes_in = stop
        if flags & LENGTH:
            exchange.body = data[start:stop]
        if flags & MORE:
            connection.buffer = data[stop:]
        return 0
    exchange.sent = False
    exchange.bytes_in = len(data)
    chunks = None
    if flags & CHUNKED:
        if settings.max_body == 0:          # to the kernel that is no limit
            return endings.BODY_TOO_LARGE
        chain = connection.context.chains.get(route) if not route.plain else None
        head.framed = chain is None or not chain.sends
        chunks = Chunks(not head.framed, settings.max_body or 0, route.removed, True, settings.underscores)
    body = connection.body = RequestBody(head.length, chunks)
    if start < len(data):
        exchange.body = body.feed(data[start:])
        if body.fault:
            return fault(connection, exchange, body)
        if body.ended:
            arrived(connection, exchange, body)
    return 0


def upload(connection: Http1Connection, exchange: Exchange, data: bytes) -> None:
    """Pass on more of the body; data behind its end waits."""
    body = connection.body
    if body is None:
        return
    out = body.feed(data)
    exchange.bytes_in += len(data)
    if body.fault:
        exchange.broken(fault(connection, exchange, body))
        return
    if body.ended:
        arrived(connection, exchange, body)
    exchange.client_data(out, body.ended)


def arrived(connection: Http1Connection, exchange: Exchange, body: RequestBody) -> None:
    """Note that the request was read to its end."""
    connection.buffer = body.rest
    connection.body = None
    exchange.bytes_in -= len(body.rest)
    if exchange.request is not None:
        exchange.request.trailers = body.trailers
    exchange.sent = True


def fault(connection: Http1Connection, exchange: Exchange, body: RequestBody) -> int:
    """The ending of a request whose body is malformed, or too long."""
    ending = refusals.REFUSED[body.fault]
    exchange.keep = False
    connection.context.blame(exchange, ending, body.error)
    return ending


def unread(connection: Http1Connection, flags: int, data: bytes) -> None:
    """Wait for the rest of a head, or refuse it."""
    settings = connection.peer.listener.settings
    if flags == 0:
        if connection.state == IDLE:
            connection.state = READING
            connection.deadline = connection.context.now + settings.timeouts.client_header
        connection.buffer = data
        return
    error = settings.request.error
    logger.debug("bad request", listener=connection.peer.listener.name, client=connection.peer.address.decode(),
                 error=error)
    ending = endings.CODING_REFUSED if error == UNKNOWN_CODING else refusals.REFUSED.get(-flags, endings.BAD_REQUEST)
    reject(connection, -flags, ending, data, error)


def reject(connection: Http1Connection, status: int, ending: int, data: bytes, reason: str | None = None) -> None:
    """Answer a malformed request, and close; `data` are its bytes."""
    peer, context = connection.peer, connection.context
    began = context.now
    if connection.state == READING:
        began = min(began, connection.deadline - peer.listener.client_header)
    connection.transport.write(refusals.reject(peer, context, status, ending, data, began, reason))
    leave(connection, False)


def await_request(connection: Http1Connection) -> None:
    """Be ready for the next request, which may be here already."""
    connection.state = IDLE
    connection.deadline = connection.context.now + connection.peer.listener.settings.client_idle
    if connection.buffer or connection.half_closed:
        advance(connection)


def advance(connection: Http1Connection) -> None:
    """Handle the next requests, as far as they are here already."""
    if connection.advancing:
        return
    connection.advancing = True
    while connection.buffer and connection.state == IDLE:
        data, connection.buffer = connection.buffer, b""
        read(connection, data)
    connection.advancing = False
    exchange = connection.exchange
    if connection.half_closed:
        if connection.state <= READING:
            if connection.state == READING:
                connection.context.count(endings.CLIENT_CLOSED)
            connection.dismiss()
        elif exchange is not None and not exchange.sent:
            exchange.cut(endings.CLIENT_CLOSED)
        elif exchange is not None and not connection.buffer:
            exchange.keep = False
    if len(connection.buffer) <= HIGH and (exchange is None or exchange.sent):
        connection.transport.resume_reading()


def leave(connection: Http1Connection, sent: bool) -> None:
    """Close when all is written; the rest of the request is read first, lest a reset takes the answer."""
    whole = (sent and not connection.buffer) or connection.half_closed
    connection.buffer = b""
    if whole:
        connection.dismiss()
        return
    connection.state = LINGER
    connection.deadline = connection.context.now + LINGER_SECONDS
    connection.transport.write_eof()
    connection.transport.resume_reading()
