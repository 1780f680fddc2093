"""Responses that break off: the part that came is written out, then the connection ends so that no client can take the
response for complete (RFC 9112 8).

A length or chunks say themselves that something is missing, so that a plain close will do. A body that ends with the
connection needs a reset, which waits until the client's kernel has acknowledged all: it would overtake the rest.
"""

from typing import Any

from lbd.net.transport import Transport
from lbd.upstream.sockets import reset, unacknowledged


def break_off(client: Any, ending: int) -> None:
    """End the answer that is being relayed, and the connection with it."""
    upstream, client.upstream = client.upstream, None
    if upstream is not None:
        upstream.abort()
    client.keep = False
    if client.unbounded:
        client.plane.draining.resets.add(client.transport)
        client.deadline = client.plane.now + client.listener.settings.timeouts.client_body
        client.cut(ending, abort=False)
    else:
        client.finish(ending)


class Resets:
    """Connections that are reset once everything written to them has arrived."""

    def __init__(self) -> None:
        self._waiting: set[Transport] = set()

    def add(self, transport: Transport) -> None:
        """Reset this connection once all has arrived; its owner limits the time."""
        self._waiting.add(transport)

    def tick(self) -> None:
        """Reset the connections that are due."""
        for transport in [waiting for waiting in self._waiting
                          if waiting.is_closing() or not unacknowledged(waiting)]:
            self._waiting.remove(transport)
            if not transport.is_closing():
                reset(transport)
