# cython: boundscheck=False, wraparound=False
"""The choice of a protocol by ALPN (RFC 7301), as OpenSSL calls it in the middle of a handshake: without the
interpreter."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t
from libc.string cimport memcmp

cdef enum:
    CHOSEN = 0          # SSL_TLSEXT_ERR_OK of <openssl/tls1.h>
    REFUSED = 2         # SSL_TLSEXT_ERR_ALERT_FATAL; the alert is no_application_protocol

cdef struct Offer:
    const uint8_t *names        # as in the extension: a byte of length before each
    size_t size

cdef dict offers = {}           # protocols: what OpenSSL points to, for as long as the process lives


cdef int select(void *tls, const uint8_t **out, uint8_t *length, const uint8_t *theirs, unsigned int size,
                void *offer) noexcept nogil:
    """The first of our names that is among theirs, which `out` points into; bounds are held at every read."""
    cdef const uint8_t *ours = (<Offer *>offer).names
    cdef const uint8_t *last = ours + (<Offer *>offer).size
    cdef const uint8_t *end = theirs + size
    cdef const uint8_t *at
    while ours < last:
        at = theirs
        while at < end and at[0] < end - at:
            if at[0] == ours[0] and memcmp(at + 1, ours + 1, ours[0]) == 0:
                out[0] = at + 1
                length[0] = at[0]
                return CHOSEN
            at += 1 + at[0]
        ours += 1 + ours[0]
    return REFUSED


SELECT = <size_t>&select        # the address of the function, for SSL_CTX_set_alpn_select_cb


def offer(tuple protocols not None):
    """The address of what the function is to be called with for these protocols, the best first; it stays valid.

    ValueError for a name that is empty or longer than 255 bytes.
    """
    if protocols not in offers:
        if not all(0 < len(name) < 256 for name in protocols):
            raise ValueError("a protocol has 1 to 255 bytes")
        names = b"".join([bytes((len(name),)) + name for name in protocols])
        kept = bytearray(sizeof(Offer))
        made = <Offer *><char *>kept
        made.names = <const uint8_t *>PyBytes_AS_STRING(names)
        made.size = len(names)
        offers[protocols] = <size_t>made, names, kept
    return offers[protocols][0]


def chosen(tuple protocols not None, bytes offered not None):
    """Which one is chosen for a client with this list in its extension; None: it is refused."""
    cdef const uint8_t *out = NULL
    cdef uint8_t length = 0
    cdef size_t address = offer(protocols)
    if select(NULL, &out, &length, <const uint8_t *>PyBytes_AS_STRING(offered), len(offered),
              <void *>address) != CHOSEN:
        return None
    return out[:length]
