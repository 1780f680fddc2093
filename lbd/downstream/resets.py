"""Connections that are reset once everything written to them has arrived.

Where an answer breaks off, its length or its chunks say themselves that something is missing, so that a plain close
will do (RFC 9112 8). A body that ends with the connection needs a reset, which waits until the client's kernel has
acknowledged all: it would overtake the rest.
"""

from lbd.net.transport import Transport


class ResetConnections:
    """The connections of one worker that are to be reset."""

    def __init__(self) -> None:
        self._waiting: set[Transport] = set()

    def add(self, transport: Transport) -> None:
        """Reset this connection once all has arrived; its owner limits the time."""
        self._waiting.add(transport)

    def tick(self) -> None:
        """Reset the connections that are due."""
        for transport in [waiting for waiting in self._waiting if waiting.is_closing() or not waiting.unsent()]:
            self._waiting.remove(transport)
            if not transport.is_closing():
                transport.reset()
