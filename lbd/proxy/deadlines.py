"""Deadlines of a client connection: its end when time runs out, in every state, and its end from outside."""

from lbd.proxy.exchange import CLOSED, CONNECT, FULL, IDLE, LINGER, QUEUED, READING, RELAY, SEND, TUNNEL, WAIT
from lbd.proxy.refusals import reject
from lbd.proxy.tunnel import Tunnel
from lbd.stats import endings
from lbd.upstream.breaking import break_off
from lbd.upstream.sockets import unacknowledged

# By state: the status to answer with when time has run out (0: none, the connection is cut), and the ending.
EXPIRED = {
    IDLE: (0, endings.OK),
    FULL: (0, endings.CLIENT_SLOW),
    READING: (408, endings.CLIENT_HEADER_TIMEOUT),
    QUEUED: (503, endings.QUEUE_TIMEOUT),
    CONNECT: (504, endings.CONNECT_TIMEOUT),
    SEND: (408, endings.CLIENT_BODY_TIMEOUT),
    WAIT: (504, endings.SERVER_TIMEOUT),
    RELAY: (0, endings.SERVER_BODY_TIMEOUT),
    TUNNEL: (0, endings.TUNNEL_TIMEOUT),
    LINGER: (0, endings.OK),
    CLOSED: (0, endings.CLIENT_SLOW),
}


class Deadlines(Tunnel):
    """A deadline is an attribute; `Timers` calls `expire` once it has passed."""

    __slots__ = ()

    def expire(self) -> None:
        """Act on a deadline that has passed, by the state of the connection."""
        if self._drips():
            return
        state = self.state
        if state == TUNNEL and self.stirred():
            return
        status, ending = EXPIRED[state]
        if state in (WAIT, RELAY) and self.congested:
            status, ending = 0, endings.CLIENT_SLOW
        elif state == SEND and self.upstream is not None and self.upstream.full:
            status, ending = 504, endings.SERVER_TIMEOUT
        elif state == TUNNEL and self.half_closed:
            ending = endings.HALF_CLOSED_TIMEOUT
        if state == READING:
            reject(self, status, ending, self.buffer)
        elif state == IDLE:
            self.dismiss()
        elif state == CONNECT:
            self.unreached(status, ending)
        elif (state == WAIT and status and self.late()) or (state == QUEUED and self.overdue()):
            return
        elif ending == endings.SERVER_BODY_TIMEOUT:
            break_off(self, ending)
        elif status:
            self.keep = self.keep and status != 408
            self.give_up(status, ending)
        else:
            self.stop(ending)

    def _drips(self) -> bool:
        """Give a slow side as much time again where it took some data since the last look."""
        upstream, state = self.upstream, self.state
        if state in (SEND, WAIT) and upstream is not None and upstream.full:
            transport, seconds = upstream.transport, self.backend.server_timeout
        elif state in (LINGER, CLOSED) or (self.congested and state in (WAIT, RELAY, TUNNEL, FULL)):
            transport, seconds = self.transport, self.listener.settings.timeouts.client_body
        else:
            return False
        before = self.unsent
        self.unsent = unacknowledged(transport) if state in (LINGER, CLOSED) else transport.get_write_buffer_size()
        if self.unsent == 0 or 0 < before <= self.unsent:
            return False
        self.deadline = self.plane.now + seconds
        return True

    @property
    def idle(self) -> bool:
        """Whether the connection waits between two requests."""
        return self.state == IDLE

    def dismiss(self) -> None:
        """Close an idle connection in good order."""
        self.state = CLOSED
        self.deadline = self.plane.now + self.listener.settings.timeouts.client_body
        self.transport.close()

    def last(self) -> None:
        """Make the answer under way the last one on this connection, and have it say so: its listener takes no more."""
        if QUEUED <= self.state <= WAIT:
            self.keep = False

    def stop(self, ending: int) -> None:
        """Cut the connection, whatever it is doing."""
        if QUEUED <= self.state <= TUNNEL:
            self.cut(ending)
        else:
            self.state = CLOSED
            self.transport.abort()
