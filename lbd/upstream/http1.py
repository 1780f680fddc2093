"""The HTTP/1 connection to a server (RFC 9112): sends requests, and reads responses strictly."""

from lbd.backend.scanners import ResponseRules
from lbd.backend.server import Server
from lbd.errors import shortage
from lbd.exchange import failures, pinned
from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import Requester, ServerConnection
from lbd.http import head as flags_of
from lbd.http.head import Chunks, Response
from lbd.http.message import Head as MessageHead
from lbd.net.stream import Sock
from lbd.net.transport import Transport
from lbd.stats import endings, fields
from lbd.upstream.send_proxy import introduction
from lbd.upstream.states import CHUNKED, CLOSED, CONNECTING, HEAD, LENGTH, REST, TO_END, TUNNEL

SIMPLE, WHOLE, UPGRADE = flags_of.SIMPLE, flags_of.WHOLE, flags_of.UPGRADE
IS_CHUNKED, UNTIL_CLOSE, KEEP = flags_of.CHUNKED, flags_of.UNTIL_CLOSE, flags_of.KEEP

OK = endings.OK
STATUS = slice(9, 12)                  # of b"HTTP/1.1 503"


class Http1ServerConnection(ServerConnection):
    """A connection to a server, and the stream of one exchange at a time.

    Others share the `scanner` of its backend, whose facts are read before the next scan. `statuses`: answers for which
    another server is tried.
    `full`: the server does not read, and the client has to wait. `written`: bytes that went with the request's head.
    `paused`: the client has to read first.
    """

    def __init__(self, server: Server, context: WorkerContext, exchange: Requester) -> None:
        super().__init__(server)
        self.context = context
        self.scanner: Response
        self.statuses: frozenset[bytes]
        self.follow(exchange.route.backend.responses)
        self.exchange: Requester | None = exchange
        self.transport: Transport | None = None
        self.chunks: Chunks | None = None
        self.buffer = b""
        self.left = self.written = 0
        self.full = self.keep = self.paused = False
        self.mode = CONNECTING

    # Called by the exchange

    def open(self, exchange: Requester) -> "Http1ServerConnection | None":
        transport = self.transport
        if transport is None:
            return None
        request, outdated = exchange.request, self.name is not None and not exchange.route.named
        if outdated or ((not exchange.sent or request is None or not request.idempotent) and transport.is_readable()):
            pinned.let_go(self)     # its client goes on with this request
            self.reset()
            return None
        if exchange.peer.pins is not None:
            pinned.hold(exchange.peer, exchange.route.backend, self)
        self.exchange = exchange
        self.mode = HEAD
        self.uses += 1
        self.free = 0
        write_request(self, exchange, transport)
        return self

    def send(self, data: bytes, end: bool) -> None:
        transport = self.transport
        if transport is None:
            return
        if self.mode != TUNNEL and self.exchange is not None and wraps(self.exchange):
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if end and self.exchange.request is not None:
                data += b"0\r\n%b\r\n" % self.exchange.request.trailers
        if data:
            transport.write(data)
        if end and self.mode == TUNNEL:
            transport.write_eof()

    def pause(self) -> None:
        self.paused = True
        if self.transport is not None:
            self.transport.pause_reading()

    def resume(self) -> None:
        self.paused = False
        if self.transport is not None:
            self.transport.resume_reading()

    def reset(self) -> None:
        """Close at once, so that the server notices; the exchange is not called."""
        self.part()
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close in good order: a server that is slow to read the rest has its time."""
        if self.full and self.mode != TUNNEL:
            self.reset()          # the server answered before the end of the request
            return
        self.part()
        if self.transport is not None:
            self.context.connector.closes(self, self.transport)
            self.transport.close()

    def part(self) -> None:
        """Have nothing to do with the exchange any more, and be in no pool."""
        exchange, self.exchange = self.exchange, None
        if self.owner is not None:
            pinned.end(self)
        if self.mode == REST:
            self.server.idle.pop(self, None)
        self.mode = CLOSED
        self.free = 0
        if self.full:
            self.full = False
            if exchange is not None:
                exchange.upstream_full(False)

    def follow(self, rules: ResponseRules) -> None:
        """Read responses by these rules from now on."""
        self.scanner = rules.scanner
        self.statuses = rules.retry_statuses

    # Called by the transport

    def connection_made(self, transport: Transport) -> None:
        """Send the request for which the connection was opened."""
        self.transport = transport
        self.uses = 1
        self.server.row.add(fields.SERVER_CONNECTIONS_TOTAL, 1)
        exchange = self.exchange
        if exchange is None:
            transport.abort()
            return
        told = exchange.route.backend.settings.send_proxy
        plain = self.server.connections.tls is None      # else it went before the handshake
        greeting = introduction(exchange.peer, told) if told is not None and plain else b""
        if exchange.request is None:
            self.mode = TUNNEL
            if greeting:
                transport.write(greeting)
            exchange.opened(self, True)
        else:
            if exchange.peer.pins is not None:
                pinned.hold(exchange.peer, exchange.route.backend, self)
            self.mode = HEAD
            write_request(self, exchange, transport, greeting)
            exchange.opened(self, True)

    def data_received(self, data: bytes) -> None:
        """Handle bytes of a response."""
        exchange = self.exchange
        if exchange is None or self.mode != HEAD or exchange.request is None:
            more(self, exchange, data)
            return
        if self.buffer:
            data = self.buffer + data
            self.buffer = b""
        if self.statuses and data[STATUS] in self.statuses \
                and failures.bad_status(exchange, self.context, int(data[STATUS])):
            return
        request = exchange.request
        scanner = self.scanner
        flags = scanner.scan(data, 0, request.to_head, request.minor, exchange.keep and exchange.sent)
        head = scanner.message
        if flags >= SIMPLE and head.status != 401 and head.status != 407 and self.owner is None:
            self.keep = flags & KEEP != 0
            exchange.responded(head, b"", True)
            completed(self, exchange)
        elif flags >= SIMPLE:
            final(self, exchange, flags, data)
        else:
            unusual(self, exchange, flags, data)

    def eof_received(self) -> bool:
        """Handle the server's end: that of a body without a length, of one side of a tunnel, or a break."""
        exchange = self.exchange
        if exchange is None:
            self.close()
        elif self.mode == TUNNEL:
            exchange.received(b"", True, b"")
            return self.exchange is not None
        elif self.mode == TO_END:
            self.keep = False
            exchange.received(b"", True, b"")
            completed(self, exchange)
        else:
            broke(self, exchange)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange that the connection is gone, or was never made."""
        exchange, mode, server = self.exchange, self.mode, self.server
        self.context.connector.closed(self)
        server.row.add(fields.SERVER_CONNECTIONS, -1)       # it was counted before it was opened
        if not self.uses and mode == CONNECTING and not shortage(exc):
            server.row.add(fields.SERVER_CONNECTION_ERRORS, 1)
        if exchange is None:
            self.part()
        elif mode == CONNECTING:
            self.part()
            failures.refused(exchange, self.context, server, exc, self.name)
        elif mode == TUNNEL:
            self.part()
            exchange.finish(endings.TUNNEL_CLOSED)
        else:
            broke(self, exchange)
        self.transport = None

    def pause_writing(self) -> None:
        """Have the client wait: the server is slow to read."""
        self.full = True
        if self.exchange is not None:
            self.exchange.upstream_full(True)

    def resume_writing(self) -> None:
        """Let the client go on: the server reads again."""
        self.full = False
        if self.exchange is not None:
            self.exchange.upstream_full(False)


def wraps(exchange: Requester) -> bool:
    """Whether the body of a request is sent in chunks that are made here."""
    request = exchange.request
    return request is not None and request.flags & IS_CHUNKED != 0 and not request.framed


def write_request(connection: Http1ServerConnection, exchange: Requester, transport: Transport,
                  greeting: bytes = b"") -> None:
    """Send the head of a request, and its body as far as it is here."""
    request, body = exchange.request, exchange.body
    if request is None:
        return
    text = greeting + request.compose() if greeting else request.compose()
    if body or request.flags & IS_CHUNKED:
        if wraps(exchange):
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if exchange.sent:
                body += b"0\r\n%b\r\n" % request.trailers
        text += body
    connection.written = len(text)
    if isinstance(transport, Sock):
        sock = transport        # called without a lookup
        sock.write(text)
    else:
        transport.write(text)


def final(connection: Http1ServerConnection, exchange: Requester, flags: int, data: bytes) -> None:
    """Pass on the head of a response, with the bytes behind it; all of a SIMPLE one is in the head's text already."""
    scanner, request = connection.scanner, exchange.request
    head, start, stop = scanner.message, scanner.head, scanner.end
    if request is None:
        return
    if pinned.challenged(head) and flags & KEEP:
        pinned.sign_on(exchange.peer, exchange.route.backend)
        pinned.hold(exchange.peer, exchange.route.backend, connection)
    if connection.owner is not None and exchange.keep and (not flags & KEEP or connection.server.gone):
        exchange.keep = False       # the client's connection ends with the server's, and is told so
        flags = scanner.scan(data, 0, request.to_head, request.minor, False)
        head = scanner.message
    connection.keep = flags & KEEP != 0
    if flags >= SIMPLE:
        exchange.responded(head, b"", True)
        completed(connection, exchange)
    elif flags & WHOLE:      # bytes follow it, which no request caused
        connection.keep = False
        head.join(data[start:stop])
        exchange.responded(head, b"", True)
        completed(connection, exchange)
    elif flags & IS_CHUNKED:
        chunked(connection, exchange, head, data[start:])
    else:
        connection.mode = TO_END if flags & UNTIL_CLOSE else LENGTH
        connection.left = head.length - (len(data) - start)
        exchange.responded(head, data[start:], False)


def chunked(connection: Http1ServerConnection, exchange: Requester, head: MessageHead, data: bytes) -> None:
    """Pass on the head of a response whose body is chunked, and what of that is here."""
    request = exchange.request
    head.framed = request is not None and request.minor > 0
    connection.mode = CHUNKED
    exchange.responded(head, b"", False)
    connection.chunks = Chunks(not head.framed, 0, exchange.route.response_removed)
    if data and connection.mode == CHUNKED:
        more(connection, exchange, data)


def more(connection: Http1ServerConnection, exchange: Requester | None, data: bytes) -> None:
    """Handle bytes that are not the beginning of a response."""
    mode, chunks = connection.mode, connection.chunks
    if exchange is None or mode in (REST, CLOSED):
        connection.reset()          # without a request: a stray answer (408, say) or a broken server
    elif mode == LENGTH:
        extra = len(data) - connection.left
        if extra > 0:
            data = data[:connection.left]
            connection.keep = False
        connection.left -= len(data)
        exchange.received(data, not connection.left, b"")
        if not connection.left:
            completed(connection, exchange)
    elif mode == CHUNKED and chunks is not None:
        result = chunks.feed(data, 0)
        if result < 0:
            failures.misread(exchange, connection.context, connection.server, chunks.error)
            return
        exchange.received(chunks.out, result != 0, chunks.trailers)
        if result:
            connection.keep = connection.keep and chunks.end == len(data)
            connection.chunks = None
            completed(connection, exchange)
    else:
        exchange.received(data, False, b"")


def unusual(connection: Http1ServerConnection, exchange: Requester, flags: int, data: bytes) -> None:
    """Read data that is not a whole response: a part of one, a bad one, or interim responses first."""
    scanner, request = connection.scanner, exchange.request
    start = 0
    if request is None:
        return
    while flags > 0 and scanner.message.status < 200 and scanner.message.status != 101:
        start = scanner.head
        if request.minor:
            exchange.responded(scanner.message, b"", False)
        if start == len(data):
            return
        flags = scanner.scan(data, start, request.to_head, request.minor, exchange.keep and exchange.sent)
    if flags == 0:
        connection.buffer = data[start:]
    elif flags < 0:
        failures.misread(exchange, connection.context, connection.server, scanner.error)
    elif scanner.message.status == 101:
        if not request.flags & UPGRADE or not flags & UPGRADE:
            failures.misread(exchange, connection.context, connection.server,
                             "101 for a request that asked for no upgrade")
            return
        connection.mode = TUNNEL
        exchange.switched(scanner.message, data[scanner.head:])
    elif not start:
        final(connection, exchange, flags, data)
    else:
        connection.data_received(data[start:])


def completed(connection: Http1ServerConnection, exchange: Requester) -> None:
    """End a complete response: the connection becomes idle or closes; then the client goes on."""
    server = connection.server
    idle = server.idle
    if connection.exchange is not exchange:
        return
    if connection.paused:
        connection.resume()      # it may rest, or serve another client, while this one is slow
    if not exchange.sent:
        connection.reset()
    elif connection.owner is not None and connection.keep and exchange.keep and not connection.full:
        rest(connection)
        server.connections.pinned[connection] = None
    elif (connection.owner is not None or not connection.keep or connection.full or server.gone
            or len(idle) >= server.max_idle or connection.uses >= server.max_turns):
        connection.close()
    else:
        rest(connection)
        connection.free = 1
        idle[connection] = None
    exchange.finish(OK)


def rest(connection: Http1ServerConnection) -> None:
    """Wait for another request."""
    connection.exchange = None
    connection.mode = REST
    connection.since = connection.context.now


def broke(connection: Http1ServerConnection, exchange: Requester) -> None:
    """Tell the exchange that the connection ended too early."""
    mode, begun, uses = connection.mode, bool(connection.buffer), connection.uses
    missed = mode == HEAD and uses > 1 and unread(connection)
    connection.reset()
    if mode == HEAD and not begun:
        failures.lost(exchange, connection.context, uses, missed)
    elif mode == HEAD:
        failures.misread(exchange, connection.context, connection.server, "the connection closed within the head")
    else:
        exchange.broken(endings.SERVER_CUT)


def unread(connection: Http1ServerConnection) -> bool:
    """Whether the server closed before it got anything of the request: its kernel acknowledged nothing of it. (A Unix
    socket has no such race: its end is seen before anything is written.)"""
    transport = connection.transport
    if transport is None or connection.server.address.path or not connection.written:
        return False
    return transport.unsent() >= connection.written
