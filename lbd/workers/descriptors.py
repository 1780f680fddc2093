"""File descriptors that go over a channel beside its messages (SCM_RIGHTS of unix(7))."""

import os
import socket
from array import array
from collections.abc import Sequence

SIZE = array("i").itemsize     # bytes of one in a control message


def of_control_message(level: int, kind: int, payload: bytes) -> Sequence[int]:
    """The descriptors in one control message of recvmsg(2)."""
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return ()
    return array("i", payload[:len(payload) - len(payload) % SIZE])


def duplicates(fds: Sequence[int]) -> list[int]:
    """Duplicates of all, or none and `OSError`: a caller may close its own before the kernel has taken them."""
    copies: list[int] = []
    try:
        copies.extend(map(os.dup, fds))
    except BaseException:
        close_all(copies)
        raise
    return copies


def close_all(fds: Sequence[int]) -> None:
    """Close them."""
    for fd in fds:
        os.close(fd)
