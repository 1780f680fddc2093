"""Every field name that has a meaning here, and which of them pass."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from lbd.http.grammar cimport *

# Whether a line of each Name is dropped; from LOOKALIKE on, of a name that only folds into one of that Name.
cdef extern from *:
    """
    static unsigned char lbd_answer[64], lbd_trailer[64];
    """
    uint8_t ANSWER "lbd_answer"[64]          # from a server
    uint8_t TRAILER "lbd_trailer"[64]        # in a trailer section: nothing that has a meaning here may come there

cdef enum:    # Underscores: what becomes of names of request fields that have a "_"
    DROP_LOOKALIKES      # what folds into a known name does not pass
    PASS                 # only what folds into a name that lbd keeps for itself or frames by does not pass
    REFUSE               # none is taken



cdef inline int fill_names() except -1:
    """Fill KNOWN, SLOT and the tables of what is dropped; to be called once, at import."""
    cdef int name, at
    cdef int n = 0
    cdef bytes text
    cdef dict meanings = {
        HOP: b"keep-alive proxy-connection te http2-settings",
        END_TO_END: b"""accept-ranges age cache-control content-encoding content-range content-type cookie
            etag expires last-modified location proxy-authenticate range retry-after
            set-cookie trailer vary via www-authenticate""",
        CONNECTION: b"connection",
        UPGRADE_FIELD: b"upgrade",
        HOST: b"host",
        CONTENT_LENGTH: b"content-length",
        TRANSFER_ENCODING: b"transfer-encoding",
        EXPECT_FIELD: b"expect",
        MAX_FORWARDS: b"max-forwards",
        FORWARDED: b"forwarded",
        FORWARDED_FOR: b"x-forwarded-for",
        FORWARDED_HOST: b"x-forwarded-host",
        FORWARDED_PROTO: b"x-forwarded-proto",
        REQUEST_ID: b"x-request-id",
        AUTHORIZATION: b"authorization proxy-authorization",
        DATE: b"date",
    }
    for name, texts in meanings.items():
        for text in texts.split():
            KNOWN[n].size = len(text)
            KNOWN[n].name = name
            memcpy(KNOWN[n].text, PyBytes_AS_STRING(text), len(text))
            n += 1
            at = place(<const uint8_t*>PyBytes_AS_STRING(text), len(text))
            while SLOT[at]:
                at = (at + 1) & 255
            SLOT[at] = n
    for name in range(NAMES):
        TRAILER[name] = TRAILER[LOOKALIKE + name] = name != OTHER
        ANSWER[name] = name in (HOP, CONNECTION, UPGRADE_FIELD, TRANSFER_ENCODING)
    return 0


cdef inline void fill_drops(uint8_t* untrusted, uint8_t* trusted, int underscores, bint certified) noexcept:
    """Fill such tables for the heads of clients and of trusted proxies. A proxy may name the certificate of its own
    client unless this listener requests certificates itself (`certified`)."""
    cdef int name
    cdef bint harmless
    for name in range(1, NAMES):
        trusted[name] = ANSWER[name] or name == FORWARDED_FOR or name == REQUEST_ID or (certified and name == CERTIFICATE)
        untrusted[name] = trusted[name] or FORWARDED <= name <= CERTIFICATE
        harmless = name == END_TO_END or name == AUTHORIZATION or name == DATE
        trusted[LOOKALIKE + name] = underscores != PASS or not harmless
        untrusted[LOOKALIKE + name] = trusted[LOOKALIKE + name]
