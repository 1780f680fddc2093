"""What every kind of check has: options, a result, and the way an error is put into words."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lbd.config.units import Address


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check: `reason` in a few words ("GET /healthz: 503"), `seconds` it took."""

    passed: bool
    reason: str
    seconds: float


Check = Callable[[Address, Any, float], Awaitable[Result]]


class Kind(Protocol):
    """A module of this room that is a kind of check: the class of its own keys, and the check."""

    @property
    def Options(self) -> type: ...
    @property
    def check(self) -> Check: ...


_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.ENOENT: "no such socket",
    errno.EACCES: "permission denied",
    errno.EAGAIN: "backlog full",
    errno.EPIPE: "connection closed",
}


def words(error: BaseException) -> str:
    """An error of a connection in a few words."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "timeout"
    if isinstance(error, OSError) and error.errno:
        return _WORDS.get(error.errno) or error.strerror or type(error).__name__
    if isinstance(error, asyncio.IncompleteReadError | EOFError):
        return "connection closed"
    return str(error) or type(error).__name__
