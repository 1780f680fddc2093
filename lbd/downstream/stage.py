"""A stage of a client connection before its first request: what all stages have in common."""

from collections.abc import Callable
from typing import Protocol

from lbd.downstream.admission import ClientAdmission
from lbd.exchange.streams import ClientConnection, Peer, Requester
from lbd.net.callbacks import Callbacks
from lbd.net.transport import Transport


class Served(ClientConnection, Callbacks, Protocol):
    """A client connection that is the protocol of its transport, too."""

    transport: Transport

    def admitted(self) -> None:
        """Begin: the client is admitted, and the stages before this one are over."""


Serve = Callable[[ClientAdmission, Peer], Served]


class Stage:
    """A client connection until the next stage takes its place. `serve` makes that which answers requests."""

    def __init__(self, admission: ClientAdmission, peer: Peer, serve: Serve) -> None:
        self.admission = admission
        self.peer = peer
        self.serve = serve
        self.deadline = 0.0
        self.transport: Transport
        self.closed = False

    def connection_made(self, transport: Transport) -> None:
        """Admit or reject a new client."""
        self.transport = transport
        if self.admission.connected(self, transport):
            self.admission.enter(self)

    def admitted(self) -> None:
        """Begin: the client is admitted."""

    def data_received(self, data: bytes) -> bool | None:
        """Handle bytes of the stage."""
        return None

    def eof_received(self) -> bool:
        """Close the connection: it ended too early."""
        return False

    def pause_writing(self) -> None:
        """Wait: a stage writes nothing of its own."""

    def resume_writing(self) -> None:
        """Go on."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that is gone."""
        self.closed = True
        self.admission.disconnected(self)

    @property
    def idle(self) -> bool:
        """Whether the connection waits between two requests: never."""
        return False

    def requests(self) -> list[Requester]:
        """No exchange yet."""
        return []

    def expire(self) -> None:
        """Cut the connection: the stage takes too long."""
        self.stop(0)

    def dismiss(self) -> None:
        """Do nothing: the connection is never idle."""

    def stop(self, ending: int) -> None:
        """Cut the connection."""
        self.closed = True
        self.transport.abort()

    def hand_over(self, after: Served, transport: Transport, seconds: float) -> bool:
        """Have the next stage take this one's place, on that transport, with so many seconds for what it waits for;
        False where the client may not go on."""
        self.closed = True
        after.transport = self.peer.transport = transport
        after.deadline = self.admission.context.now + seconds
        self.admission.replace(self, after)
        return self.admission.enter(after)
