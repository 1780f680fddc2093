"""A client connection in `tcp` mode: a server is chosen for the connection as a whole, and bytes pass as they are."""

from lbd.backend.server import Server
from lbd.backend.sticky import stays
from lbd.proxy.client import Client
from lbd.proxy.exchange import CLOSED, CONNECT, QUEUED
from lbd.routing.router import RouteTarget
from lbd.stats import endings
from lbd.upstream.upstream import TUNNEL, Upstream


class TcpClient(Client):
    """A client whose connection is one tunnel from the start: it differs from an upgraded one in how it begins."""

    __slots__ = ()

    # The facts for algorithms: there is no request, so only the source is known.

    @property
    def method(self) -> bytes:
        return b""

    @property
    def target(self) -> bytes:
        return b""

    @property
    def host(self) -> bytes:
        return b""

    @property
    def source(self) -> bytes:
        return self.peer

    def field(self, name: bytes) -> bytes:
        return b""

    def enter(self) -> None:
        """Choose a server for the new connection now, since the server may be the one to speak first."""
        super().enter()
        if self.state == CLOSED:
            return
        self.begin()

    def begin(self) -> None:
        """Begin, once the client is admitted."""
        self.choose(self.listener.settings.router.default)

    def choose(self, target: RouteTarget) -> None:
        """Send the connection to a server of this target."""
        self.action = target
        self.backend = target.backend
        self.keep = False
        self.record.begin(target.row, self.backend.row)
        self.dispatch()

    def data_received(self, data: bytes) -> bool | None:
        """Pass bytes on to the server; until it is connected up to one read of them waits."""
        if self.state in (QUEUED, CONNECT):
            self.buffer += data
            self.transport.pause_reading()
            return None
        return super().data_received(data)

    def own(self) -> Server | None:
        """The server that the client's address had, while that keeps its clients."""
        sticky = self.backend.sticky_source
        return sticky.find(self.peer) if sticky is not None else None

    def _bind(self, server: Server) -> None:
        """Bind the client's address to this server, unless it only went there because its own was full."""
        sticky = self.backend.sticky_source
        if sticky is not None:
            own = sticky.find(self.peer)
            sticky.bind(self.peer, own if own is not None and stays(own, server, self.tried) else server)

    def dispatch(self, server: Server | None = None) -> None:
        """Choose a server, unless it is given; the connection to it serves this client only."""
        gate = self.backend.gate
        if server is None and gate is not None:
            gate.admit(self)
            return
        server = server or self.choice()
        if server is None:
            self.refuse(503, endings.NO_SERVER)
            return
        self._bind(server)
        self.server = server
        self.record.took(server.row)
        if self.backend.took is not None:
            self.backend.took(server)
        self._connect(server)

    def connected(self, upstream: Upstream) -> None:
        """Pass on the bytes that came before the server was connected, and the end if it came too."""
        upstream.mode = TUNNEL
        self.record.connected()
        self.record.head(0)
        ended, self.half_closed = self.half_closed, False
        self.tunnel()
        self._bind(upstream.server)
        if upstream.server.backoff.until:
            self.plane.servers.clear_failures(upstream.server)
        if ended:
            self.eof_received()

    def eof_received(self) -> bool:
        """Pass on that the client sends no more, as soon as the server is connected."""
        if self.state in (QUEUED, CONNECT):
            self.half_closed = True
            return True
        return super().eof_received()

    def refuse(self, status: int, ending: int) -> None:
        """Cut the connection: there is no answer to give."""
        self.cut(ending)
