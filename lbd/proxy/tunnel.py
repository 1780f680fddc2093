"""The client's side of a tunnel (RFC 9110 7.8): bytes pass both ways as they are, and each way ends by itself."""

from lbd.net.splice import relay
from lbd.net.stream import Sock
from lbd.proxy.exchange import TUNNEL
from lbd.proxy.repeats import Repeats
from lbd.stats import endings
from lbd.upstream.upstream import Upstream


class Tunnel(Repeats):
    """The state TUNNEL of a client connection. `half_closed`: one of the two sides has sent its last byte.

    Between two plain sockets `lbd.net.splice` moves the bytes, and nothing here sees them: their number is added up at
    the end, and the moment of the last ones is read when the deadline has passed.
    """

    __slots__ = ()

    def tunnel(self) -> None:
        """Begin the tunnel: from here on bytes go both ways."""
        self.state = TUNNEL
        self.keep = False
        self.deadline = self.plane.now + self.patience
        upstream, waiting = self.upstream, self.buffer
        self.buffer = b""
        self.hear()
        if upstream is not None:
            if waiting:
                self.bytes_in += len(waiting)
                upstream.transport.write(waiting)
            if self.half_closed:
                upstream.transport.write_eof()
            if type(self.transport) is Sock and type(upstream.transport) is Sock:
                relay(self.transport, upstream.transport)
                relay(upstream.transport, self.transport)

    @property
    def patience(self) -> float:
        """Seconds for which the tunnel may be silent now."""
        timeouts = self.backend.settings.timeouts
        return timeouts.half_closed if self.half_closed else timeouts.tunnel

    def pass_on(self, data: bytes) -> None:
        """Pass bytes of the client on."""
        self.deadline = self.plane.now + self.patience
        self.bytes_in += len(data)
        if self.upstream is not None:
            self.upstream.transport.write(data)

    def client_ended(self, upstream: Upstream) -> bool:
        """Note that the client sends no more; the tunnel is over when the server does not either. True: it goes on."""
        if self.half_closed:
            self.hang_up(endings.TUNNEL_CLOSED)
            return False
        self._halve()
        upstream.transport.write_eof()
        return True

    def tunnel_ended(self, upstream: Upstream) -> None:
        """Note that the server sends no more; the tunnel is over when the client does not either."""
        if self.half_closed:
            self.hang_up(endings.TUNNEL_CLOSED)
        else:
            self._halve()
            self.transport.write_eof()

    def _halve(self) -> None:
        self.half_closed = True
        self.deadline = self.plane.now + self.patience

    def tunnel_lost(self) -> None:
        """End the tunnel: the server is gone."""
        self.tally()
        self.finish(endings.TUNNEL_CLOSED)

    @property
    def tunnelled(self) -> bool:
        """Whether the connection is a tunnel now."""
        return self.state == TUNNEL

    def hang_up(self, ending: int) -> None:
        """End the tunnel in good order: both sides get what was sent to them, and then the end."""
        if self.upstream is not None:
            self.upstream.close()
        self.tally()
        self.finish(ending)

    def tally(self) -> None:
        """Count the bytes that the kernel moved: the tunnel is over."""
        self.bytes_in += getattr(self.transport, "passed", 0)
        if self.upstream is not None:
            self.bytes_out += getattr(self.upstream.transport, "passed", 0)

    def stirred(self) -> bool:
        """Whether the kernel moved bytes since the deadline was set, which moves with them."""
        if self.upstream is None:
            return False
        last = max(getattr(side.transport, "touched", 0.0) for side in (self, self.upstream))
        self.deadline = max(self.deadline, last + self.patience)
        return bool(self.deadline >= self.plane.now)

    def cut(self, ending: int, abort: bool = True) -> None:
        """End the connection so that both sides notice."""
        if self.state == TUNNEL:
            self.tally()
        super().cut(ending, abort)
