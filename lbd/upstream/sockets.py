"""Questions to the kernel about a connection: data that waits to be read, and written data that has not arrived."""

import fcntl
import os
import select
import socket
import struct
import sys
import termios

from lbd.net.transport import Transport

HARD = struct.pack("ii", 1, 0)      # no lingering: unsent bytes are dropped, and the peer gets a reset
GONE = select.POLLERR | select.POLLHUP


def descriptor(transport: Transport) -> int:
    """The number of the transport's socket, -1 once it is closed."""
    fd = transport.get_extra_info("fd")
    if fd is None:
        sock = transport.get_extra_info("socket")
        fd = sock.fileno() if sock is not None else -1
    return int(fd)


def readable(transport: Transport) -> bool:
    """Bytes, an end or an error wait to be read from the connection, or it is closed already."""
    return transport.is_closing() or bool(_events(descriptor(transport), select.POLLIN | select.POLLRDHUP))


def left(transport: Transport, wanted: int) -> bool:
    """The peer is gone, or sends no more and owes some of so many bytes: for connections that are not read."""
    fd = descriptor(transport)
    if fd < 0:
        return False
    events = _events(fd, select.POLLRDHUP)
    return bool(events & GONE) or (events != 0 and _waiting(fd, termios.FIONREAD) < wanted)


def unacknowledged(transport: Transport) -> int:
    """Bytes that were written and that the peer's kernel does not have yet, here or in the kernel; 0 once closed."""
    fd = descriptor(transport)
    return 0 if fd < 0 else int(transport.get_write_buffer_size()) + unsent(fd)


def unsent(fd: int) -> int:
    """Bytes of the kernel's send queue, unacknowledged ones too."""
    return _waiting(fd, termios.TIOCOUTQ)


def reset(transport: Transport) -> None:
    """End the connection with a reset, also where the transport's own `abort` only closes."""
    fd = descriptor(transport)
    if fd >= 0:
        with socket.socket(fileno=os.dup(fd)) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
    transport.abort()


def _waiting(fd: int, what: int) -> int:
    return int.from_bytes(fcntl.ioctl(fd, what, bytes(4)), sys.byteorder)


def _events(fd: int, mask: int) -> int:
    if fd < 0:
        return select.POLLHUP
    poll = select.poll()
    poll.register(fd, mask)
    found = poll.poll(0)
    return found[0][1] if found else 0
