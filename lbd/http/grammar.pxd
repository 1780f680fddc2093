"""Bytes, numbers, hosts and field names as RFC 9110, 9112 and 3986 spell them: the tables and tests that readers share."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from *:
    """
    static unsigned char lbd_kind[256];
    static unsigned char lbd_lower[256], lbd_fold[256];
    typedef struct { unsigned char size, name; char text[22]; } lbd_known_t;
    static lbd_known_t lbd_known[64];
    static unsigned char lbd_slot[256];
    """
    ctypedef struct Known "lbd_known_t":
        uint8_t size
        uint8_t name
        char text[22]
    uint8_t KIND "lbd_kind"[256]       # what a byte may be part of: bits of Kind
    uint8_t LOWER "lbd_lower"[256]     # lower case
    uint8_t FOLD "lbd_fold"[256]       # lower case, and "-" for all but letters and digits: see `fill_kinds`
    Known KNOWN "lbd_known"[64]        # known field names
    uint8_t SLOT "lbd_slot"[256]       # hash of a name to its place in KNOWN plus one; open addressing

cdef enum:    # Kind
    TOKEN = 1
    TARGET = 2       # visible ASCII without "#"
    REGNAME = 4      # of RFC 3986, without "%"
    LITERAL = 8      # inside the brackets of an IP literal
    DIGIT = 16
    HEX = 32
    VISIBLE = 64
    UNSCORED = 128   # TOKEN without "_"

cdef enum:    # Name
    OTHER = 0            # passes; Connection may name it
    END_TO_END           # passes, whatever Connection says
    HOP                  # never passes
    CONNECTION
    UPGRADE_FIELD
    HOST
    CONTENT_LENGTH
    TRANSFER_ENCODING
    EXPECT_FIELD
    MAX_FORWARDS
    FORWARDED
    FORWARDED_FOR
    FORWARDED_HOST
    FORWARDED_PROTO
    FORWARDED_MORE       # any other X-Forwarded-*
    REQUEST_ID
    CERTIFICATE          # X-SSL-Client-*
    AUTHORIZATION        # passes; of a proxy too
    DATE
    NAMES                # how many there are
    LOOKALIKE = 32       # in tables by Name: where those begin of names that only fold into one


cdef inline void fill_kinds() noexcept:
    """Fill KIND, LOWER and FOLD; to be called once, at import.

    CGI (RFC 3875 4.1.18), WSGI and Rack make one variable of names that differ in "-" and "_", PHP in "." too;
    lighttpd and Apache 2.2 take every character of a token that is no letter and no digit for "_". FOLD does as they.
    """
    cdef int c
    for c in range(256):
        LOWER[c] = c + 32 if 65 <= c <= 90 else c
        FOLD[c] = LOWER[c] if 48 <= c <= 57 or 97 <= LOWER[c] <= 122 else 45
        KIND[c] = 0
        if 33 <= c <= 126:
            KIND[c] |= VISIBLE
            if c != 35:
                KIND[c] |= TARGET
        if 48 <= c <= 57:
            KIND[c] |= TOKEN | REGNAME | LITERAL | DIGIT | HEX
        if 65 <= c <= 90 or 97 <= c <= 122:
            KIND[c] |= TOKEN | REGNAME | LITERAL
        if 65 <= c <= 70 or 97 <= c <= 102:
            KIND[c] |= HEX
    for c in b"!#$%&'*+-.^_`|~":
        KIND[c] |= TOKEN
    for c in range(256):
        if KIND[c] & TOKEN and c != 95:
            KIND[c] |= UNSCORED
    for c in b"-._~!$&'()*+,;=":
        KIND[c] |= REGNAME | LITERAL
    KIND[58] |= LITERAL


cdef inline unsigned int place(const uint8_t* p, size_t n) noexcept nogil:
    return (n * 7 + FOLD[p[0]] * 3 + FOLD[p[n - 1]] * 5 + FOLD[p[n >> 1]]) & 255


cdef inline bint alike(const uint8_t* p, const char* lower, size_t n) noexcept nogil:
    """Whether n bytes are `lower` in any case."""
    cdef size_t i
    for i in range(n):
        if LOWER[p[i]] != <uint8_t>lower[i]:
            return False
    return True


cdef inline bint is_text(const uint8_t* p, size_t n, const char* lower, size_t size) noexcept nogil:
    return n == size and alike(p, lower, n)


cdef inline bint folds_to(const uint8_t* p, const char* folded, size_t n) noexcept nogil:
    """Whether n bytes of a field name fold into `folded`."""
    cdef size_t i
    for i in range(n):
        if FOLD[p[i]] != <uint8_t>folded[i]:
            return False
    return True


cdef inline int name_of(const uint8_t* p, size_t n) noexcept nogil:
    """The Name of a field name (a token, n > 0); minus it when the name only folds into one that is so called."""
    cdef unsigned int at = place(p, n)
    cdef int name = OTHER
    cdef size_t i
    while SLOT[at]:
        if KNOWN[SLOT[at] - 1].size == n:
            if alike(p, KNOWN[SLOT[at] - 1].text, n):
                return KNOWN[SLOT[at] - 1].name
            if folds_to(p, KNOWN[SLOT[at] - 1].text, n):
                return -KNOWN[SLOT[at] - 1].name
        at = (at + 1) & 255
    if n > 12 and LOWER[p[0]] == 120:
        if folds_to(p, "x-forwarded-", 12):
            name = FORWARDED_MORE
        elif n > 13 and folds_to(p, "x-ssl-client-", 13):
            name = CERTIFICATE
    if name != OTHER:
        for i in range(n):
            if FOLD[p[i]] == 45 and p[i] != 45:
                return -name
    return name


cdef inline int64_t number(const uint8_t* p, size_t n) noexcept nogil:
    """A plain decimal number below 10**18 without leading zeros, else -1."""
    cdef int64_t value = 0
    cdef size_t i
    if n == 0 or n > 18 or (n > 1 and p[0] == 48):
        return -1
    for i in range(n):
        if not KIND[p[i]] & DIGIT:
            return -1
        value = value * 10 + (p[i] - 48)
    return value


cdef inline bint is_host(const uint8_t* p, size_t n) noexcept nogil:
    """host [ ":" port ] of RFC 3986 with a host that is not empty and a port that can exist."""
    cdef size_t i = 0
    if n == 0:
        return False
    if p[0] == 91:
        i = 1
        while i < n and KIND[p[i]] & LITERAL:
            i += 1
        if i < 3 or i == n or p[i] != 93:
            return False
        i += 1
    else:
        while i < n:
            if KIND[p[i]] & REGNAME:
                i += 1
            elif p[i] == 37 and i + 2 < n and KIND[p[i + 1]] & HEX and KIND[p[i + 2]] & HEX:
                i += 3
            else:
                break
        if i == 0:
            return False
    if i == n:
        return True
    return p[i] == 58 and (i + 1 == n or (n - i <= 6 and 0 <= number(p + i + 1, n - i - 1) <= 65535))
