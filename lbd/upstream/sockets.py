"""Questions about a connection: data that waits to be read, and written data that has not arrived."""

from lbd.net import socket_state
from lbd.net.transport import Transport

unsent = socket_state.unsent


def descriptor(transport: Transport) -> int:
    """The number of the transport's socket, -1 once it is closed."""
    fd = transport.get_extra_info("fd")
    if fd is None:
        sock = transport.get_extra_info("socket")
        fd = sock.fileno() if sock is not None else -1
    return int(fd)


def readable(transport: Transport) -> bool:
    """Bytes, an end or an error wait to be read from the connection, or it is closed already."""
    return transport.is_readable()


def left(transport: Transport, wanted: int) -> bool:
    """The peer is gone, or sends no more and owes some of so many bytes: for connections that are not read."""
    return transport.peer_left(wanted)


def unacknowledged(transport: Transport) -> int:
    """Bytes that were written and that the peer's kernel does not have yet, here or in the kernel; 0 once closed."""
    return transport.unsent()


def reset(transport: Transport) -> None:
    """End the connection with a reset, also where the transport's own `abort` only closes."""
    transport.reset()
