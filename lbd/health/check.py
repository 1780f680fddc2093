"""The interface of checks: options, a result, and the words for an error of a connection."""

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lbd.schema.units import Address


class Closable(Protocol):
    """A resource that a check keeps open from one run to the next."""

    def close(self) -> None: ...


# How connections to a server are TLS: the context, and the name to ask for and to check, "" for none.
Secured = tuple[ssl.SSLContext, str]


@dataclass(slots=True)
class Subject:
    """A server that is checked, and its address; where that is a name, `at` is its IP address, "" while it has none.

    `greeting` are the bytes with which a connection has to begin (a PROXY header); `secured` how TLS follows, None
    without. `kept` is the check's own, closed when the server is not watched any more or is checked in another way.
    """

    address: Address
    backend: str = ""
    server: str = ""
    greeting: bytes = b""
    secured: Secured | None = None
    kept: Closable | None = None
    at: str = ""

    @property
    def reached(self) -> Address:
        """The address to connect to."""
        return replace(self.address, host=self.at) if self.at else self.address

    def release(self) -> None:
        """Close what was kept."""
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.close()


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check: `reason` in a few words ("GET /healthz: 503"), `seconds` it took."""

    passed: bool
    reason: str
    seconds: float


Check = Callable[[Subject, Any, float], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A kind of check: the class of its own keys in the configuration, and the check.

    `check(subject, options, timeout)` takes at most `timeout` seconds, whatever the server does, and never raises for
    a fault of the server. It raises `OSError` where this host lacks something, which proves nothing about the server.
    """

    Options: type
    check: Check


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

# Reasons that OpenSSL gives for bytes that are no TLS record.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")


def words(error: BaseException) -> str:
    """An error of a connection in a few words."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "handshake failed"
        return "no TLS" if reason in _NO_TLS else reason.lower().replace("_", " ")
    if isinstance(error, OSError) and error.errno:
        return _WORDS.get(error.errno) or error.strerror or type(error).__name__
    if isinstance(error, ConnectionResetError) and not str(error):
        return "connection reset"
    if isinstance(error, asyncio.IncompleteReadError | EOFError | ConnectionAbortedError):
        return "connection closed"
    return str(error) or type(error).__name__
