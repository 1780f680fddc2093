"""A client connection in `tcp` mode: a server is chosen for the connection as a whole, and bytes pass as they are."""

from lbd.downstream.admission import ClientAdmission
from lbd.exchange import deadlines
from lbd.exchange.exchange import Exchange
from lbd.exchange.states import ENDED, TUNNEL
from lbd.exchange.streams import Downstream, Peer
from lbd.http.message import Head
from lbd.net.transport import Transport
from lbd.routing.target import RouteTarget
from lbd.stats import endings


class TcpConnection(Downstream):
    """A client connection that is one exchange from beginning to end: a tunnel. `closed`: it is being closed."""

    def __init__(self, admission: ClientAdmission, peer: Peer) -> None:
        super().__init__(peer)
        self.admission = admission
        self.exchange: Exchange | None = None
        self.transport: Transport
        self.closed = False

    def begin(self, route: RouteTarget, data: bytes = b"") -> None:
        """Choose a server for the client, which has sent this data."""
        exchange = self.exchange = Exchange(self.admission.context, self.peer, self)
        exchange.keep = False
        exchange.body = data
        exchange.bytes_in = len(data)
        exchange.begin(None, route)

    # Called by the transport

    def connection_made(self, transport: Transport) -> None:
        """Admit or reject a new client."""
        self.transport = transport
        if self.admission.connected(self, transport) and self.admission.enter(self):
            self.admitted()

    def admitted(self) -> None:
        """Begin: the server may be the one to speak first."""
        self.begin(self.peer.listener.settings.router.default)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the server; until it is connected up to one read of them waits."""
        exchange = self.exchange
        if exchange is not None:
            exchange.bytes_in += len(data)
            if exchange.state != TUNNEL:
                self.transport.pause_reading()
            exchange.client_data(data, False)

    def eof_received(self) -> bool:
        """Pass on that the client sends no more, as soon as the server is connected."""
        exchange = self.exchange
        if exchange is None:
            return self.closed
        if exchange.state == TUNNEL:
            exchange.client_data(b"", True)
        else:
            exchange.half_closed = True
        return exchange.state != ENDED

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange of a client that is gone."""
        exchange = self.exchange
        if exchange is not None:
            exchange.cut(endings.TUNNEL_CLOSED if exchange.state == TUNNEL else
                         endings.CLIENT_CLOSED if exc is None else endings.CLIENT_RESET)
        self.closed = True
        self.admission.disconnected(self)

    def pause_writing(self) -> None:
        """Have the server wait: the client is slow to read."""
        self.unsent = self.transport.get_write_buffer_size()
        if self.exchange is not None:
            self.exchange.client_full(True)

    def resume_writing(self) -> None:
        """Let the server go on: the client reads again."""
        self.unsent = 0
        if self.exchange is not None:
            self.exchange.client_full(False)

    # Called by the exchange

    def respond(self, head: Head, data: bytes, end: bool) -> None:
        """Send nothing: there is no answer to give."""

    def send(self, data: bytes, end: bool, trailers: bytes) -> None:
        if data:
            self.transport.write(data)
        if end:
            self.transport.write_eof()

    def pause(self) -> None:
        self.transport.pause_reading()

    def resume(self) -> None:
        self.transport.resume_reading()

    def reset(self, ending: int) -> None:
        self.exchange = None
        self.closed = True
        self.transport.abort()

    def ended(self, whole: bool) -> None:
        self.exchange = None
        self.closed = True
        self.deadline = self.admission.context.now + self.peer.listener.settings.timeouts.client_body
        self.transport.close()

    # Called by timers and draining

    @property
    def idle(self) -> bool:
        return False

    def requests(self) -> list[Exchange]:
        return [self.exchange] if self.exchange is not None else []

    def expire(self) -> None:
        """Act on a deadline that has passed."""
        if self.exchange is not None:
            deadlines.expire(self.exchange)
        elif not deadlines.progresses(self, self.transport, True, self.admission.context.now):
            self.transport.abort()

    def dismiss(self) -> None:
        """Do nothing: the connection is never idle."""

    def stop(self, ending: int) -> None:
        """Cut the connection, whatever it is doing."""
        if self.exchange is not None:
            self.exchange.cut(ending)
        else:
            self.closed = True
            self.transport.abort()
