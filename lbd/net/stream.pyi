"""A connection of the transport: a raw non-blocking socket behind the methods of asyncio's transports."""

from typing import Any, final

from lbd.net.callbacks import Callbacks
from lbd.net.epoll import Watched

@final
class Sock(Watched):
    """A connection. The methods are those of asyncio's transports."""

    passed: int         # bytes that `lbd.net.splice.relay` carried away from here, unseen by the protocol
    touched: float      # when the last of them were, in monotonic seconds

    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def write(self, data: bytes) -> None:
        """Send `data`, or queue what the kernel does not take now; ignored once the connection is closing."""
    def write_eof(self) -> None:
        """Shut down the sending side once what is queued is sent."""
    def can_write_eof(self) -> bool: ...
    def close(self) -> None:
        """Read no more, send what is queued, then close."""
    def abort(self) -> None:
        """Close at once and drop what is queued; the peer sees a reset."""
    def is_closing(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_reading(self) -> bool: ...
    def set_write_buffer_limits(self, high: int = 65536, low: int = -1) -> None:
        """Bytes queued above which the protocol is paused, and at or below which it resumes (default: a quarter)."""
    def get_write_buffer_limits(self) -> tuple[int, int]: ...
    def get_write_buffer_size(self) -> int: ...
    def set_protocol(self, protocol: Callbacks) -> None: ...
    def get_protocol(self) -> Any: ...
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`peername`, `sockname`, `fd`, or `socket`: a duplicate that the caller closes. `default` once closed.

        `source` of an accepted connection: the peer's address as ASCII, without zone, b"" for a Unix socket.
        """
    def detach(self) -> int:
        """Give up the descriptor and return it; the protocol hears no more. ValueError if closed or data is queued."""
