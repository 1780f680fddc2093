"""The interface of transports: `lbd.net.stream.Sock`, `lbd.net.secure.Secure` above either, and those of the loop."""

from typing import Any, Protocol


class Pump(Protocol):
    """A direction of a tunnel whose bytes pass below the protocols."""

    @property
    def passed(self) -> int:
        """Bytes that it took from its source."""


class Transport(Protocol):
    """A connection; the methods are those of asyncio's transports (`asyncio.Transport`), and some more. `write_last`
    writes and closes: for less than the two calls, since what ends the connection goes with the data."""

    def write(self, data: bytes, /) -> None: ...
    def write_last(self, data: bytes, /) -> None: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def is_closing(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_reading(self) -> bool: ...
    def set_write_buffer_limits(self, high: int, low: int, /) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def set_protocol(self, protocol: Any, /) -> None: ...
    def get_extra_info(self, name: str, default: Any = None, /) -> Any: ...

    def is_readable(self) -> bool:
        """Bytes, an end or an error of the peer wait to be read, or the connection is closed already."""

    def unsent(self) -> int:
        """Bytes that were written and that the peer's kernel has not acknowledged, as they are sent (TLS makes them
        more); 0 once closed."""

    def peer_left(self, wanted: int, /) -> bool:
        """The peer is gone, or sends no more and owes some of so many bytes: for connections that are not read. False
        once closed, which `connection_lost` tells."""

    def reset(self) -> None:
        """Drop what is unsent and end the connection with a reset, also where `abort` only closes."""

    @property
    def source(self) -> bytes | None:
        """The peer's address of an accepted connection as ASCII, without zone, b"" for a Unix socket; None where only
        `get_extra_info("peername")` tells."""

    @property
    def idle_since(self) -> float:
        """Monotonic seconds of the last time that bytes came or went, or of the beginning; to a tenth of a second."""

    def splice_to(self, other: "Transport", /) -> Pump | None:
        """Send all that comes from now on to the other connection, in place of the protocol, which hears of the end and
        of errors only; None where the two cannot do that: both are plain sockets, open, and in no such pump yet."""
