"""A transport of the loop behind the whole interface of `lbd.net.transport.Transport`."""

import asyncio
import time
from typing import Any, cast

from lbd.net import socket_state
from lbd.net.callbacks import Callbacks


class LoopTransport:
    """A connection of the loop, as its protocol sees it. `protocol` gets its events; `idle_since` is kept here."""

    source: bytes | None = None

    def __init__(self, transport: asyncio.Transport, protocol: Callbacks) -> None:
        self._transport = transport
        self.protocol = protocol
        self.idle_since = time.monotonic()
        self.close = transport.close
        self.abort = transport.abort
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.is_reading = transport.is_reading
        self.write_eof = transport.write_eof
        self.set_write_buffer_limits = transport.set_write_buffer_limits
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.get_extra_info = transport.get_extra_info

    def write(self, data: bytes) -> None:
        """Send it, or queue what the kernel does not take now."""
        self.idle_since = time.monotonic()
        self._transport.write(data)

    def write_last(self, data: bytes) -> None:
        """Send it, then close."""
        self.write(data)
        self.close()

    def set_protocol(self, protocol: Callbacks) -> None:
        """Tell another protocol of events from now on."""
        self.protocol = protocol

    def is_readable(self) -> bool:
        """Bytes, an end or an error wait, or the connection is closed."""
        return self.is_closing() or socket_state.readable(self._fileno())

    def unsent(self) -> int:
        """Bytes of the loop's queue and of the kernel's."""
        fd = self._fileno()
        return self.get_write_buffer_size() + socket_state.unsent(fd) if fd >= 0 else 0

    def peer_left(self, wanted: int) -> bool:
        """The peer is gone, or sends no more and owes some of so many bytes."""
        return socket_state.peer_left(self._fileno(), wanted)

    def reset(self) -> None:
        """End the connection with a reset."""
        fd = self._fileno()
        if fd >= 0:
            socket_state.reset_on_close(fd)
        self.abort()

    def splice_to(self, _other: object) -> None:
        """Nothing: the loop moves the bytes."""

    def _fileno(self) -> int:
        """The descriptor, -1 once closed."""
        sock: Any = self._transport.get_extra_info("socket")
        return int(sock.fileno()) if sock is not None else -1


class LoopProtocol(asyncio.Protocol):
    """The protocol that the loop knows: it passes the events of one connection on."""

    def __init__(self, protocol: Callbacks) -> None:
        self._protocol = protocol       # the first one
        self._wrapped: LoopTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over."""
        self._wrapped = LoopTransport(cast(asyncio.Transport, transport), self._protocol)
        self._protocol.connection_made(self._wrapped)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._wrapped.idle_since = time.monotonic()
        self._wrapped.protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass the end on."""
        return self._wrapped.protocol.eof_received()

    def pause_writing(self) -> None:
        """Pass it on that the peer is slow to read."""
        self._wrapped.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on that the peer reads again."""
        self._wrapped.protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on that the connection is closed."""
        self._wrapped.protocol.connection_lost(exc)
