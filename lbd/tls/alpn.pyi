"""The choice of a protocol by ALPN (RFC 7301), made in C in the middle of a handshake."""

SELECT: int
"""The address of the function that OpenSSL calls (SSL_CTX_set_alpn_select_cb)."""

def offer(protocols: tuple[bytes, ...]) -> int:
    """The address that OpenSSL gives the function for these protocols, the best first; valid for good.

    ValueError for a name that is empty or longer than 255 bytes.
    """

def chosen(protocols: tuple[bytes, ...], offered: bytes) -> bytes | None:
    """Which is chosen for a client with this list in its extension; None: it is refused."""
