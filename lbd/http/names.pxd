"""Every field name that has a meaning here, and which of them pass."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from lbd.http.grammar cimport *

# Whether a line of each Name is dropped. At OTHER: of a name that is a known one but for "_" instead of "-".
cdef extern from *:
    """
    static unsigned char lbd_untrusted[32], lbd_trusted[32], lbd_answer[32], lbd_trailer[32];
    """
    uint8_t UNTRUSTED "lbd_untrusted"[32]    # from a client
    uint8_t TRUSTED "lbd_trusted"[32]        # from a trusted proxy
    uint8_t ANSWER "lbd_answer"[32]          # from a server
    uint8_t TRAILER "lbd_trailer"[32]        # in a trailer section: nothing that has a meaning here may come there


cdef inline int fill_names() except -1:
    """Fill KNOWN, SLOT and the tables of what is dropped; to be called once, at import."""
    cdef int name, at
    cdef int n = 0
    cdef bytes text
    cdef dict meanings = {
        HOP: b"keep-alive proxy-connection te http2-settings",
        END_TO_END: b"""accept-ranges age cache-control content-encoding content-range content-type cookie
            date etag expires last-modified location proxy-authenticate range retry-after
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
        TRAILER[name] = 1
        ANSWER[name] = name in (HOP, CONNECTION, UPGRADE_FIELD, TRANSFER_ENCODING)
        TRUSTED[name] = ANSWER[name] or name in (OTHER, FORWARDED_FOR, REQUEST_ID)
        UNTRUSTED[name] = TRUSTED[name] or FORWARDED <= name <= REQUEST_ID
    return 0
