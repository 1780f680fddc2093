"""The bytes of tunnels (RFC 9110 7.8), which pass both ways as they are.

Between two plain sockets the transports move them by themselves, and no exchange sees them: their number is added up at
the end, and the moment of the last ones is read when the deadline has passed.
"""

from lbd.backend.backend import Backend
from lbd.exchange.streams import Requester, Upstream
from lbd.net.transport import Pump

Pumps = tuple[Pump | None, Pump | None]     # from the client to the server, and back


def join(exchange: Requester, upstream: Upstream | None) -> Pumps:
    """Have the transports move the bytes themselves, where they can."""
    client, server = exchange.peer.transport, upstream.transport if upstream is not None else None
    if client is None or server is None:
        return None, None
    return client.splice_to(server), server.splice_to(client)


def tally(exchange: Requester, pumps: Pumps) -> None:
    """Count the bytes that the transports moved: the tunnel is over."""
    there, back = pumps
    exchange.bytes_in += there.passed if there is not None else 0
    exchange.bytes_out += back.passed if back is not None else 0


def touched(exchange: Requester, upstream: Upstream | None) -> float:
    """When bytes last moved on one of the two sides, in monotonic seconds."""
    sides = (exchange.peer.transport, upstream.transport if upstream is not None else None)
    return max(side.idle_since if side is not None else 0.0 for side in sides)


def patience(backend: Backend, half_closed: bool) -> float:
    """Seconds for which a tunnel may be silent; `half_closed`: one of its sides sends no more."""
    timeouts = backend.settings.timeouts
    return timeouts.half_closed if half_closed else timeouts.tunnel


def hang_up(exchange: Requester, upstream: Upstream | None, ending: int) -> None:
    """End the tunnel in good order: both sides get what was sent to them, and then the end."""
    if upstream is not None:
        upstream.close()
    exchange.finish(ending)
