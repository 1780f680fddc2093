"""The connection to a server: sends requests, reads responses strictly, and relays them to the waiting client."""

from typing import Any, Protocol

from lbd.backend.server import Server
from lbd.errors import shortage
from lbd.http import head
from lbd.net.transport import Transport
from lbd.stats import endings, fields
from lbd.stats.scoreboard import Record
from lbd.upstream import fast_path, pinned
from lbd.upstream.sockets import descriptor, readable, unsent

CONNECTING, REST, HEAD, LENGTH, CHUNKED, TO_END, TUNNEL, CLOSED = range(8)       # the states of a connection

SIMPLE: int = head.SIMPLE

HIGH = 64 * 1024                       # bytes that wait before a reader has to: as in every write buffer
CLOSE_SECONDS = 10.0                   # for a closed connection to send the rest


class Requester(Protocol):
    """The client side, as the server side needs it."""

    plane: Any
    transport: Transport
    record: Record
    bytes_out: int
    head_only: bool
    minor: int
    keep: bool
    sent: bool
    upgrade: bool
    congested: bool
    buffer: bytes
    payload: bytes
    pins: pinned.Pins | None
    response_edits: Any

    def connected(self, upstream: "Upstream") -> None: ...
    def refused(self, upstream: "Upstream", reason: Exception | None) -> None: ...
    def lost(self, upstream: "Upstream", unread: bool) -> None: ...
    def misread(self, upstream: "Upstream", error: str) -> None: ...
    def truncated(self, upstream: "Upstream") -> None: ...
    def answered(self, keep: bool) -> None: ...
    def relay(self, data: bytes) -> None: ...
    def interim(self, data: bytes) -> None: ...
    def blocked(self, unsent: int) -> None: ...
    def relieved(self) -> None: ...
    def hear(self) -> None: ...
    def tunnel(self) -> None: ...
    def tunnel_ended(self, upstream: "Upstream") -> None: ...
    def tunnel_lost(self) -> None: ...
    def finish(self, ending: int) -> None: ...
    def advance(self) -> None: ...


class Upstream:
    """A connection to a server: idle, it is in its server's `idle`; otherwise it serves `client`.

    `response` is the scanner of its backend, which others share: its facts are read before the next scan. `full`: the
    server does not read, and the client has to wait. `owner`: the client that signed on by this
    connection, which then rests with it (`lbd.upstream.pinned`).
    """

    __slots__ = ("buffer", "chunks", "client", "full", "keep", "left", "mode", "owner", "payload", "plane", "response",
                 "server", "since", "transport", "turns")

    def __init__(self, server: Server, plane: Any, client: Any, payload: bytes) -> None:
        self.server = server
        self.plane = plane
        self.response: head.Response = client.backend.responses.scanner
        self.client: Requester | None = client
        self.owner: Any = None
        self.payload = payload
        self.transport: Any = None
        self.buffer = b""
        self.chunks: head.Chunks | None = None
        self.left = 0
        self.full = self.keep = False
        self.mode = CONNECTING
        self.since = 0.0
        self.turns = 0

    def connection_made(self, transport: Transport) -> None:
        """Send the request for which the connection was opened."""
        self.transport = transport
        self.turns = 1
        self.server.row.add(fields.SERVER_CONNECTIONS_TOTAL, 1)
        client = self.client
        self.mode = HEAD
        if client is None:
            transport.abort()
            return
        transport.write(self.payload)
        self.payload = b""
        client.connected(self)

    data_received = fast_path.answer

    def receive(self, data: bytes) -> None:
        """Handle bytes of a response."""
        client = self.client
        if client is None or self.mode != HEAD:
            self._more(data)
            return
        if self.buffer:
            data = self.buffer + data
            self.buffer = b""
        response = self.response
        flags = response.scan(data, 0, client.head_only, client.minor, client.keep and client.sent)
        if flags < SIMPLE:
            self.unusual(client, flags, data)
        else:
            self._final(client, flags, data)

    def _final(self, client: Requester, flags: int, data: bytes) -> None:
        """Relay the head of a response, with the bytes behind it; all of a SIMPLE one is in `out` already."""
        response = self.response
        if response.status in pinned.CHALLENGES or self.owner is not None:
            flags = pinned.read_answer(self, client, flags, data)
        client.record.head(response.status)
        out = response.out
        if client.response_edits is not None:
            out = head.edit(out, None, *client.response_edits)
        if flags & head.WHOLE:
            if flags < SIMPLE:      # bytes behind it, which no request caused
                out += data[response.head:response.end]
            client.transport.write(out)
            client.bytes_out = len(out)
            self.keep = flags >= SIMPLE and flags & head.KEEP != 0
            self.ended(client)
        else:
            self._body(client, flags, out, data)

    def _body(self, client: Requester, flags: int, out: bytes, data: bytes) -> None:
        """Relay the head of a response whose body goes on beyond this read."""
        response = self.response
        ends_it = flags & head.UNTIL_CLOSE or (flags & head.CHUNKED and not client.minor)
        client.answered(not ends_it)
        self.keep = flags & head.KEEP != 0
        start = response.head
        if flags & head.CHUNKED:
            self.chunks = head.Chunks(client.minor == 0, 0, client.response_edits[0] if client.response_edits else ())
            self.mode = CHUNKED
            client.relay(out)
            if start < len(data):
                self._more(data[start:])
            return
        if flags & head.UNTIL_CLOSE:
            self.mode = TO_END
        else:
            self.mode = LENGTH
            self.left = response.length - (len(data) - start)
        client.relay(out + data[start:])

    def _more(self, data: bytes) -> None:
        """Handle bytes that are not the beginning of a response."""
        client = self.client
        mode = self.mode
        if client is None or mode in (REST, CLOSED):
            self.abort()          # without a request: a stray answer (408, say) or a broken server
        elif mode == LENGTH:
            extra = len(data) - self.left
            if extra > 0:
                data = data[:self.left]
                self.keep = False
            self.left -= len(data)
            client.relay(data)
            if not self.left:
                self._completed(client)
        elif mode == CHUNKED and self.chunks is not None:
            result = self.chunks.feed(data, 0)
            if result < 0:
                client.misread(self, self.chunks.error)
                return
            client.relay(self.chunks.out)
            if result:
                self.keep = self.keep and self.chunks.end == len(data)
                self.chunks = None
                self._completed(client)
        else:
            client.relay(data)

    def unusual(self, client: Requester, flags: int, data: bytes) -> None:
        """Read data that is not a whole response: a part of one, a bad one, or interim responses first."""
        response = self.response
        start = 0
        while flags > 0 and response.status < 200 and response.status != 101:
            start = response.head
            if client.minor:
                client.interim(response.out)
            if start == len(data):
                return
            flags = response.scan(data, start, client.head_only, client.minor, client.keep and client.sent)
        if flags == 0:
            self.buffer = data[start:]
        elif flags < 0:
            client.misread(self, response.error)
        elif response.status == 101:
            if not client.upgrade or not flags & head.UPGRADE:
                client.misread(self, "101 for a request that asked for no upgrade")
                return
            self.mode = TUNNEL
            client.record.head(101)
            rest = data[response.head:]
            client.tunnel()
            client.relay(response.out + rest)
        elif not start:
            self._final(client, flags, data)
        else:
            self.data_received(data[start:])
            if self.mode == REST:
                self.transport.resume_reading()      # interim answers may have been too much for the client

    def _completed(self, client: Requester) -> None:
        """End a response whose body came in pieces: all of it was relayed."""
        if client.congested:
            self.transport.resume_reading()      # it may rest, or serve another client, while this one is slow
        self.ended(client)

    def ended(self, client: Requester) -> None:
        """End a complete response: the connection becomes idle or closes; then the client goes on."""
        server = self.server
        idle = server.idle
        if not client.sent:
            self.abort()
        elif self.owner is not None and self.keep and client.keep and not self.full:
            self.client = None
            self.mode = REST
            self.since = client.plane.now
            server.connections.pinned[self] = None
        elif (self.owner is not None or not self.keep or self.full or server.gone or len(idle) >= server.max_idle
                or self.turns >= server.max_turns):
            self.close()
        else:
            self.client = None
            self.mode = REST
            self.since = client.plane.now
            idle[self] = None
        client.finish(endings.OK)
        if client.buffer:
            client.advance()

    def unbroken(self) -> "Upstream | None":
        """This idle connection, or the next that the server did not close: for requests that must go once."""
        idle = self.server.idle
        upstream = self
        while readable(upstream.transport):
            pinned.let_go(upstream)     # its client goes on with this request
            upstream.abort()
            if not idle:
                return None
            upstream = idle.popitem()[0]
        return upstream

    def close(self) -> None:
        """Close in good order: a server that is slow to read the rest has `CLOSE_SECONDS`."""
        if self.full and self.mode != TUNNEL:
            self.abort()          # the server answered before the end of the request
            return
        self._leave()
        if self.transport.get_write_buffer_size():
            self.plane.draining.closing[self] = self.plane.now + CLOSE_SECONDS
        self.transport.close()

    def abort(self) -> None:
        """Close at once, so that the server notices; the client is not called."""
        self._leave()
        if self.transport is not None:
            self.transport.abort()

    def _leave(self) -> None:
        client, self.client = self.client, None
        if self.owner is not None:
            pinned.end(self)
        if self.mode == REST:
            self.server.idle.pop(self, None)
        self.mode = CLOSED
        if self.full:
            self.full = False
            if client is not None:
                client.hear()

    def eof_received(self) -> bool:
        """Handle the server's end: that of a body without a length, of one side of a tunnel, or a break."""
        client = self.client
        if client is None:
            self.close()
        elif self.mode == TUNNEL:
            client.tunnel_ended(self)
            return True
        elif self.mode == TO_END:
            self.keep = False
            self.ended(client)
        else:
            self._broke(client)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the client that the connection is gone, or was never made."""
        client, mode = self.client, self.mode
        self.plane.draining.closing.pop(self, None)
        server = self.server
        server.row.add(fields.SERVER_CONNECTIONS, -1)       # it was counted before it was opened
        if not self.turns and mode == CONNECTING and not shortage(exc):
            server.row.add(fields.SERVER_CONNECTION_ERRORS, 1)
        if server.max_conns:
            self.plane.servers.capacity_freed(server)
        if client is None:
            self._leave()
        elif mode == CONNECTING:
            self._leave()
            client.refused(self, exc)
        elif mode == TUNNEL:
            self._leave()
            client.tunnel_lost()
        else:
            self._broke(client)

    def _broke(self, client: Requester) -> None:
        mode, begun = self.mode, bool(self.buffer)
        unread = mode == HEAD and self.turns > 1 and self._unread(client)
        self.abort()
        if mode == HEAD and not begun:
            client.lost(self, unread)
        elif mode == HEAD:
            client.misread(self, "the connection closed within the head")
        else:
            client.truncated(self)

    def _unread(self, client: Requester) -> bool:
        """Whether the server closed before it got anything of the request: its kernel acknowledged nothing of it. (A
        Unix socket has no such race: its end is seen before anything is written.)"""
        fd = descriptor(self.transport)
        if fd < 0 or self.server.address.path or not client.payload:
            return False
        return unsent(fd) >= len(client.payload)

    def pause_writing(self) -> None:
        """Have the client wait: the server is slow to read."""
        self.full = True
        if self.client is not None:
            self.client.blocked(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Let the client go on: the server reads again."""
        self.full = False
        if self.client is not None:
            self.client.relieved()
