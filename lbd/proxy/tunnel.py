"""The client's side of a tunnel (RFC 9110 7.8): bytes pass both ways as they are, and each way ends by itself."""

from lbd.proxy.exchange import TUNNEL
from lbd.proxy.repeats import Repeats
from lbd.proxy.upstream import Upstream
from lbd.stats import endings


class Tunnel(Repeats):
    """What a client connection does in state TUNNEL. `half_closed`: one of the two sides has sent its last."""

    __slots__ = ()

    def tunnel(self) -> None:
        """101 came: from here on bytes go both ways."""
        self.state = TUNNEL
        self.keep = False
        upstream, waiting = self.upstream, self.buffer
        self.buffer = b""
        self.hear()
        if upstream is not None:
            if waiting:
                upstream.transport.write(waiting)
            if self.half_closed:
                upstream.transport.write_eof()

    def pass_on(self, data: bytes) -> None:
        """Bytes of the client."""
        self.deadline = self.plane.now + self.backend.settings.timeouts.tunnel
        self.bytes_in += len(data)
        if self.upstream is not None:
            self.upstream.transport.write(data)

    def client_ended(self, upstream: Upstream) -> bool:
        """The client sends no more: over when the server does not either. True keeps the other way open."""
        if self.half_closed:
            upstream.close()
            self.finish(endings.TUNNEL_CLOSED)
            return False
        self.half_closed = True
        upstream.transport.write_eof()
        return True

    def tunnel_ended(self, upstream: Upstream) -> None:
        """The server sends no more: over when the client does not either."""
        if self.half_closed:
            upstream.close()
            self.finish(endings.TUNNEL_CLOSED)
        else:
            self.half_closed = True
            self.transport.write_eof()
