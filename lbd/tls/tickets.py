"""Session tickets of TLS (RFC 8446 2.2, RFC 5077) that all workers accept. The `ssl` module cannot set their keys: they
are set in OpenSSL itself, after a test at the start has shown that this works."""

import os
import ssl
from functools import cache

from lbd.log.logger import logger
from lbd.tls import openssl

_SET = 59        # SSL_CTRL_SET_TLSEXT_TICKET_KEYS of <openssl/tls1.h>
SIZE = 80        # bytes of name and keys in OpenSSL from 1.1.1 on


def share(context: ssl.SSLContext, keys: bytes) -> bool:
    """Have the context issue and accept tickets with these keys; false where it keeps its own.

    Of `keys` as many bytes are used as OpenSSL wants; ValueError when there are fewer than 80.
    """
    if len(keys) < SIZE:
        raise ValueError(f"ticket keys have {SIZE} bytes")
    return works() and _share(context, keys)


@cache
def works() -> bool:
    """Whether keys can be set: one context must resume the session of another."""
    try:
        reason = "" if _proven() else "the test failed"
    except openssl.FAILURES as error:
        reason = str(error)
    if reason:
        logger.warning("session tickets of TLS are per worker: keys cannot be set", reason=reason)
    return not reason


def _share(context: ssl.SSLContext, keys: bytes) -> bool:
    libssl, pointer = openssl.libssl(), openssl.pointer(context)
    size = libssl.SSL_CTX_ctrl(pointer, _SET, 0, None)
    return bool(size <= len(keys) and libssl.SSL_CTX_ctrl(pointer, _SET, size, keys[:size]) == 1)


def _proven() -> bool:
    """Keys that one context encrypted with, another decrypts with: tickets of a TLS 1.2 without certificates."""
    keys = os.urandom(SIZE)
    servers = [_plain(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
    client = _plain(ssl.PROTOCOL_TLS_CLIENT)
    if not all(_share(server, keys) for server in servers):
        return False
    session = None
    for server in servers:
        made = _shaken(client, server, session)
        session = made.session
    return bool(made.session_reused)


def _plain(protocol: int) -> ssl.SSLContext:
    """A context whose handshakes need no certificate; it is used for the test in this file only."""
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES128-SHA:ADH-AES128-GCM-SHA256:@SECLEVEL=0")
    return context


def _shaken(client: ssl.SSLContext, server: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLObject:
    """The client's end of a connection in memory, after the handshake."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(back, there, server_hostname=None, session=session)
    far = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (near, far):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    near.do_handshake()
    return near
