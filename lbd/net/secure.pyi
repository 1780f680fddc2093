"""TLS over a connection (RFC 8446, RFC 5246): a transport to the protocol above it, a protocol to what is below it."""

import ssl
from collections.abc import Callable
from typing import Any, final

from lbd.tls.contexts import ClientTls
from lbd.tls.handshake_limiter import HandshakeLimiter

class NotTls(ConnectionError):
    """The peer speaks HTTP without TLS."""

@final
class Secure:
    """A connection with TLS, made as the protocol of the transport below it; `protocol` gets the decrypted data.

    Accepted (`server`): `protocol.connection_made` comes at once, `secured()` when the handshake is done, then data.
    Bytes that begin like HTTP are answered with `refusal()`, without TLS. Opened: `connection_made` comes when the
    handshake is done; `name` is sent as SNI and checked, `client_tls` holds the session to resume, `greeting` is sent
    before the handshake. `connection_lost` gets the `ssl.SSLError`, or `NotTls`, of a handshake that failed. Where a
    server ends the connection without close_notify it is a `ConnectionResetError`, since the end of its data may be
    missing, unless `client_tls` is lenient.
    """

    def __init__(self, context: ssl.SSLContext, protocol: Any, limiter: HandshakeLimiter | None = None,
                 refusal: Callable[[], bytes] | None = None, *, server: bool = True, name: str | None = None,
                 client_tls: ClientTls | None = None, greeting: bytes = b"") -> None: ...
    def attach(self, transport: Any) -> Secure:
        """The transport below, before it is connected."""
    def write(self, data: bytes) -> None:
        """Encrypt and send; ignored once the connection is closing, put off until the handshake is done."""
    def write_eof(self) -> None:
        """Tell the peer in TLS and in TCP that no more comes."""
    def can_write_eof(self) -> bool: ...
    def close(self) -> None:
        """Read no more, send what is queued and the end of TLS, then close."""
    def abort(self) -> None:
        """Close at once and drop what is queued; the peer sees a reset."""
    def is_closing(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_reading(self) -> bool: ...
    def set_write_buffer_limits(self, *limits: int) -> None:
        """As of the transport below; what is queued there is encrypted."""
    def get_write_buffer_limits(self) -> tuple[int, int]: ...
    def get_write_buffer_size(self) -> int: ...
    def set_protocol(self, protocol: Any) -> None: ...
    def get_protocol(self) -> Any: ...
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`tls`: the SSLObject, once the handshake is done; else as of the transport below."""
    def connection_made(self, transport: Any) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def begin_handshake(self) -> None:
        """Begin the handshake, which had to wait."""
