"""The transport: raw non-blocking sockets in an epoll set of our own, whose descriptor is one reader of the loop."""

from collections.abc import Callable
from socket import socket
from typing import Any, final

from lbd.net.callbacks import Callbacks as Callbacks
from lbd.net.epoll import Epoll, Watched
from lbd.net.stream import Sock as Sock

__all__ = ["Acceptor", "Callbacks", "Poller", "Sock"]

@final
class Acceptor(Watched):
    """A listening socket whose connections are accepted in batches."""

    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def pause(self) -> None:
        """Accept no more; what connects waits in the kernel's backlog."""
    def resume(self) -> None:
        """Accept again, also after `exhausted` was called."""
    def close(self) -> None:
        """Accept no more and close the socket; what waits in its backlog is reset if this was its last descriptor."""
    def drain(self) -> None:
        """Accept what waits, unless paused, then close: for a socket whose last descriptor this is."""
    def fileno(self) -> int: ...

@final
class Poller(Epoll):
    """The epoll set of one worker, with its listeners and connections.

    Register `fileno()` with the loop as a reader, and `run` as its callback.
    """

    def listen(
        self,
        sock: socket,
        factory: Callable[[], Callbacks],
        batch: int = 64,
        exhausted: Callable[[OSError], object] | None = None,
    ) -> Acceptor:
        """Accept from a listening TCP or Unix socket, at most `batch` a turn; the acceptor owns the socket.

        `factory()` makes the protocol of each connection. When descriptors or memory run out, `exhausted(OSError)` is
        called and accepting pauses until a connection closes, 100 ms have passed, or `resume` is called. ValueError for
        a socket that does not listen.
        """
    def connect(self, family: int, address: Any, callbacks: Callbacks,
                options: tuple[tuple[int, int, int], ...] = ()) -> Sock:
        """Begin to connect to an IP address or Unix path, never to a name. `options` are set before, but on a Unix
        socket: level, name and value of each, as setsockopt(2) has them.

        The outcome comes later: `connection_made`, or `connection_lost(OSError)` without it. ValueError for what is no
        address of the family, or when the poller is closed.
        """
