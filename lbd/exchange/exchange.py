"""The exchange of one request and its answer, whatever carries them: every step of it, once."""

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange import answers, names, pinned, tunnel
from lbd.exchange.choice import bind_source, select
from lbd.exchange.context import FilterChain, WorkerContext
from lbd.exchange.retry import Retries
from lbd.exchange.states import BODY, CHECK, CONNECT, ENDED, HELD, HIGH, NEW, QUEUED, RELAY, SEND, TUNNEL, WAIT
from lbd.exchange.streams import Downstream, Peer, Requester, ServerConnection, Upstream
from lbd.http.message import Head
from lbd.routing.target import RouteTarget
from lbd.stats import endings, fields
from lbd.stats.bound import reserve
from lbd.stats.scoreboard import new_record

OK = endings.OK
NO_PUMPS: tunnel.Pumps = (None, None)
PIECES = 64              # most reads of a body that is kept for a retry


class Exchange(Requester):
    """Exchange of one request and its answer. `move` alone changes its state. `held`: the number of the filter to go on
    with, or BODY; `until`: monotonic seconds, when that has to be. `half_closed`: a side of a tunnel sent its last."""

    def __init__(self, context: WorkerContext, peer: Peer, downstream: Downstream) -> None:
        self.context = context      # the fields of the class above are set here too: a call less for every request
        self.peer = peer
        self.downstream = downstream
        self.record = new_record(context.process)
        self.route: RouteTarget
        self.backend: Backend
        self.server: Server | None = None
        self.preferred: Server | None = None
        self.upstream: Upstream | None = None
        self.request: Head | None = None
        self.retries: Retries | None = None
        self.filters: FilterChain | None = None
        self.pumps: tunnel.Pumps = NO_PUMPS
        self.notes: dict[object, object] | None = None
        self.body = b""
        self.until = 0.0
        self.state = NEW
        self.held = self.pieces = self.bytes_in = self.bytes_out = 0
        self.congested = self.half_closed = False
        self.keep = self.sent = self.replay = True

    def move(self, state: int, seconds: float) -> None:
        """Go to a state, which may last so many seconds."""
        self.state = state
        self.downstream.deadline = self.context.now + seconds

    # The way to a server

    def begin(self, head: Head | None, route: RouteTarget, fault: int = 0) -> None:
        """Send a request on its way to the target of its route; None: a tcp connection. `fault`: the ending of one that
        is refused at once."""
        self.request = head
        self.route = route
        backend = self.backend = route.backend
        self.record.begin(route.row, backend.row)
        if head is not None and (not route.plain or self.context.explanations is not None):
            self.filters = self.chain()
        if fault:
            self.refuse(endings.ENDINGS[fault].status, fault)
        elif head is None or (self.filters is None and route.plain and self.sent and not head.length and head.hops < 0
                            and not head.signs):
            self.dispatch(None)
        else:
            self.admit(0)

    def chain(self) -> FilterChain | None:
        """The filters of the route."""
        context = self.context
        return context.chains.get(self.route) if context.explanations is None else context.explanations.chain(self)

    def admit(self, start: int) -> None:
        """Ask the filters from that one on, and then the limits; then choose a server."""
        head, route, most = self.request, self.route, self.peer.listener.settings.max_body
        if head is None or (self.filters is not None and not self.filters.admit(self, start)):
            return
        if route.onward is not None:        # it has passed the entrance of its listener
            self.route = route.onward(head)
            self.backend = self.route.backend
            self.record.reroute(self.route.row, self.backend.row)
            self.filters = self.chain()
            self.admit(0)
            return
        if head.signs:
            pinned.sign_on(self.peer, self.backend)
        if most is not None and head.length > most:
            self.refuse(413, endings.BODY_TOO_LARGE)
        elif route.answers is not None or head.hops == 0:
            self.keep = self.keep and self.sent
            self.respond(*answers.own(head, route, self.context, self.keep))
        elif not self.sent and len(self.body) < (self.backend.settings.request_buffer or 0):
            answers.invite(head, self.downstream)
            self.hold(BODY, self.peer.listener.settings.timeouts.client_body)
        else:
            self.dispatch(None)

    def hold(self, number: int, seconds: float) -> None:
        self.held = number
        self.until = self.context.now + seconds
        if number == BODY or self.sent:
            self.move(HELD, seconds)
        else:
            self.move(HELD, min(seconds, CHECK))
            self.downstream.pause()

    def release(self, by: object = None) -> None:
        filters = self.filters
        if filters is not None and self.state == NEW and by in (None, filters.asking):
            filters.asking = None
        elif filters is not None and self.state == HELD and self.held != BODY \
                and by in (None, filters.asker(self.held)):
            self.move(NEW, self.peer.listener.settings.timeouts.client_header)
            if not self.sent:
                self.downstream.resume()
            self.admit(self.held)

    def dispatch(self, server: Server | None) -> None:
        """Choose a server for the request, unless it is given, and send it there."""
        backend, peer = self.backend, self.peer
        connection: ServerConnection | None = None
        if server is None:
            connection = pinned.resting(peer, backend) if peer.pins is not None else None
            if connection is not None:
                server = connection.server
                if backend.gate is not None and backend.gate.overfull(self):
                    return
            else:
                server = (backend.direct(self) if self.request is not None else None) or select(self)
                if server is None:
                    return
        self.take(server)
        while connection is not None or (server.idle and self.request is not None):
            if connection is None:
                connection = names.connection_for(server, self) if self.route.named else server.idle.popitem()[0]
                if connection is None:
                    break
            upstream = connection.open(self)
            if upstream is not None:
                self.upstream = upstream
                self.opened(upstream, False)
                return
            connection = None
        self.connect(server)

    def take(self, server: Server) -> None:
        self.server = server
        self.record.took(server.row)
        if self.backend.took is not None:
            self.backend.took(server)
        if self.request is None:
            bind_source(self, server)

    def connect(self, server: Server) -> None:
        if not server.max_conns:
            server.row.add(fields.SERVER_CONNECTIONS, 1)
        elif not reserve(server.row, fields.SERVER_CONNECTIONS, server.max_conns):
            self.drop_server(False)
            if self.backend.gate is None:      # bounded by a generation that does not have this backend any more
                self.refuse(503, endings.QUEUE_FULL)
            else:
                self.backend.gate.requeue(self)
            return
        self.move(CONNECT, self.backend.settings.timeouts.connect)
        if not self.sent:
            self.downstream.pause()
        self.upstream = self.context.connector.connect(self, server)

    def drop_server(self, blamed: bool) -> None:
        self.record.dropped(blamed)
        server, upstream, self.server, self.upstream = self.server, self.upstream, None, None
        if upstream is not None:
            upstream.reset()
        if server is not None and self.backend.dropped is not None:
            self.backend.dropped(server)

    def opened(self, upstream: Upstream, fresh: bool) -> None:
        self.upstream = upstream
        if fresh:
            self.record.connected()
            if upstream.server.backoff.until:
                self.context.connector.clear_failures(upstream.server)
        if self.request is None:
            self.switched(None, b"")
            return
        if not self.sent:
            if not self.request.idempotent or len(self.body) > self.backend.settings.retry_buffer:
                self.replay, self.body = False, b""
            self.hear()
        self.proceed()

    def proceed(self) -> None:
        """Wait for the answer, or for more of the request."""
        if self.sent:
            self.move(WAIT, self.backend.server_timeout)
        else:
            full = self.upstream is not None and self.upstream.full
            self.move(SEND, self.backend.server_timeout if full else self.peer.listener.settings.timeouts.client_body)

    def hear(self) -> None:
        """Receive more of the request, unless the server does not read."""
        if self.upstream is None or not self.upstream.full:
            self.downstream.resume()

    # The answer

    def responded(self, head: Head, data: bytes, end: bool) -> None:
        if head.status < 200:
            self.downstream.respond(head, b"", False)
            if self.congested and self.upstream is not None:      # a server that sends many waits
                self.upstream.pause()
            return
        self.record.head(head.status)
        if self.filters is not None:
            data = self.filters.respond(self, head, data, end)
            if self.state == ENDED:
                return
        if not end:
            self.move(RELAY, self.backend.server_timeout)
        self.bytes_out = len(head.compose()) + len(data)
        self.downstream.respond(head, data, end)

    def broken(self, ending: int) -> None:
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.reset()
        if self.state == RELAY:
            self.keep = False
            self.finish(ending)
        elif self.state == TUNNEL:
            self.cut(ending)
        else:
            self.refuse(endings.ENDINGS[ending].status or 502, ending)

    def received(self, data: bytes, end: bool, trailers: bytes) -> None:
        if self.state == TUNNEL:
            if end and not self.halve():
                return
            self.move(TUNNEL, tunnel.patience(self.backend, self.half_closed))
        else:
            self.move(RELAY, self.backend.server_timeout)
            if self.filters is not None and self.filters.receives:
                data = self.filters.receive(self, data, end)
                if self.state == ENDED:
                    return
        self.bytes_out += len(data)
        self.downstream.send(data, end, trailers)

    def switched(self, head: Head | None, data: bytes) -> None:
        upstream, ended, self.half_closed = self.upstream, self.half_closed, False
        self.keep = False
        self.record.head(head.status if head is not None else 0)
        self.move(TUNNEL, tunnel.patience(self.backend, self.half_closed))
        if head is not None:
            self.bytes_out = len(head.compose())
            self.downstream.respond(head, b"", False)
        elif self.body and upstream is not None:
            upstream.send(self.body, False)
        self.hear()
        if ended:
            self.client_data(b"", True)
        self.pumps = tunnel.join(self, upstream)
        if data:
            self.received(data, False, b"")

    def halve(self) -> bool:
        """Note that one side of the tunnel sends no more; False where the other does not either: it is over."""
        if self.half_closed:
            tunnel.hang_up(self, self.upstream, endings.TUNNEL_CLOSED)
            return False
        self.half_closed = True
        return True

    def upstream_full(self, full: bool) -> None:
        transport = self.upstream.transport if self.upstream is not None else None
        self.downstream.unsent = transport.get_write_buffer_size() if full and transport is not None else 0
        if full:
            self.downstream.pause()
            if self.state == SEND:
                self.move(SEND, self.backend.server_timeout)
        else:
            self.hear()
            if self.state in (SEND, WAIT):
                self.proceed()

    # The client

    def client_data(self, data: bytes, end: bool) -> None:
        """Pass on more of the request's body; `end`: that is all. In a tunnel it says that the client sends no more."""
        upstream = self.upstream
        if self.state == TUNNEL:
            if (end and not self.halve()) or upstream is None:
                return
            self.move(TUNNEL, tunnel.patience(self.backend, self.half_closed))
            upstream.send(data, end)
            return
        if self.filters is not None and self.filters.sends and (self.state != HELD or self.held == BODY):
            data = self.filters.send(self, data, end)     # else it is once the filters have let the head pass
            if self.state == ENDED:
                return
        self.sent = end
        if upstream is None or self.state <= CONNECT:
            self.store(data)
            return
        if self.replay and data:
            self.pieces += 1
            if self.pieces < PIECES and len(self.body) + len(data) <= self.backend.settings.retry_buffer:
                self.body += data
            else:
                self.replay, self.body = False, b""
        upstream.send(data, end)
        if self.state == RELAY:
            self.move(RELAY, self.backend.server_timeout)
        else:
            self.proceed()

    def store(self, data: bytes) -> None:
        """Keep more of the body until a server takes it."""
        self.body += data
        if self.state != HELD or self.held != BODY:
            if len(self.body) > HIGH:
                self.downstream.pause()
        elif self.sent or len(self.body) >= (self.backend.settings.request_buffer or 0):
            self.move(NEW, self.peer.listener.settings.timeouts.client_header)
            self.dispatch(None)
        else:
            self.move(HELD, self.peer.listener.settings.timeouts.client_body)

    def client_full(self, full: bool) -> None:
        """Have the server wait, since the client does not read, or let it go on."""
        self.congested = full
        upstream, state = self.upstream, self.state
        if upstream is not None and state >= (RELAY if full else SEND):
            (upstream.pause if full else upstream.resume)()
        if state == RELAY:
            client = self.peer.listener.settings.timeouts.client_body
            self.move(RELAY, client if full else self.backend.server_timeout)

    # The end

    def refuse(self, status: int, ending: int) -> None:
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.reset()
        if self.request is None:
            self.cut(ending)
            return
        self.keep = self.keep and self.sent
        self.respond(status, answers.error(self, self.context, status), ending)

    def respond(self, status: int, answer: bytes, ending: int) -> None:
        head = Head(answer)
        head.ending = ending
        if self.filters is not None:
            self.filters.answer(self, head)
        self.record.status = status
        self.bytes_out = len(head.compose())
        self.downstream.respond(head, b"", True)
        self.finish(ending)

    def finish(self, ending: int) -> None:
        whole = self.state != RELAY or ending == OK
        self.settle(ending)
        self.downstream.ended(whole)

    def cut(self, ending: int) -> None:
        """End the exchange so that both sides notice."""
        if self.state == ENDED:
            return
        self.keep = False
        upstream = self.upstream
        self.settle(ending)
        if upstream is not None:
            upstream.reset()
        self.downstream.reset(ending)

    def settle(self, ending: int) -> None:
        """Count and log the exchange, which is over: once, as another call may come from within the end of it."""
        if self.state == ENDED:
            return
        if self.state == TUNNEL:
            tunnel.tally(self, self.pumps)
        elif self.state == QUEUED and self.backend.gate is not None:
            self.backend.gate.leave(self)
        self.move(ENDED, 0.0)
        self.record.finish(ending, self.bytes_in, self.bytes_out)
        if self.filters is not None:
            self.filters.end(self, ending)
        if self.context.access is not None:
            self.context.access.note(self, ending)
        if self.server is not None and self.backend.dropped is not None:
            self.backend.dropped(self.server)
        self.server = self.upstream = None
        if self.retries is not None:
            self.retries.settle()
