"""A request head (RFC 9112 section 3): what its lines say, and the head that goes to the server instead."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcmp

from lbd.http.grammar cimport *
from lbd.http.lines cimport *

cdef enum:
    MOST_METHOD = 64         # characters
    MOST_EMPTY = 16          # bytes of empty lines before a request
    MOST_ID = 128            # characters of an X-Request-Id that is kept

cdef struct RequestHead:     # offsets and sizes are in the data read, but for id_at
    uint32_t line, method_size, uri, uri_size
    uint32_t authority, authority_size      # of an absolute-form target; size 0: it is not one
    uint32_t path, path_size                # what follows the authority, else the whole target
    uint32_t host, host_size
    uint32_t id_at, id_size                 # of the X-Request-Id, in what was written
    int minor
    int64_t length, hops

cdef struct Peer:            # the sender of the request
    const uint8_t* address
    size_t address_size
    const uint8_t* scheme
    size_t scheme_size
    bint trusted
    bint forwarded           # the Forwarded field is to be written too


cdef inline bint is_method(const uint8_t* p, const RequestHead* it, const char* method, size_t n) noexcept nogil:
    return it.method_size == n and memcmp(p + it.line, method, n) == 0


cdef inline Py_ssize_t read_request_line(const uint8_t* p, size_t size, size_t max_uri, RequestHead* it) noexcept nogil:
    """Offset after the request line, 0 when it is incomplete, or a Fault. A fault is found at the first byte
    that is wrong, so that any split of the data gives the same answer."""
    cdef const char* version = "HTTP/1.1\r\n"
    cdef size_t i = 0
    cdef size_t stop
    cdef int k
    while i < size and p[i] == 13:
        if i + 1 == size:
            return 0
        if p[i + 1] != 10:
            return BAD_LINE_END
        i += 2
        if i > MOST_EMPTY:
            return EMPTY_LINES
    it.line = i
    stop = min(size, i + MOST_METHOD + 1)
    while i < stop and KIND[p[i]] & TOKEN:
        i += 1
    it.method_size = i - it.line
    if it.method_size > MOST_METHOD:
        return BAD_METHOD
    if i == size:
        return 0
    if p[i] != 32 or it.method_size == 0:
        return BAD_METHOD
    i += 1
    it.uri = i
    stop = min(size, i + max_uri + 1)
    while i < stop and KIND[p[i]] & TARGET:
        i += 1
    it.uri_size = i - it.uri
    if it.uri_size > max_uri:
        return LONG_TARGET
    if i == size:
        return 0
    if p[i] != 32 or it.uri_size == 0:
        return BAD_TARGET
    i += 1
    for k in range(0 if size - i < 10 or memcmp(p + i, version, 10) != 0 else 10, 10):
        if i + k == size:
            return 0
        if not KIND[p[i + k]] & DIGIT if k == 7 else p[i + k] != <uint8_t>version[k]:
            return BAD_VERSION
    i += 10
    it.minor = p[i - 3] != 48
    k = read_target(p, it)
    return k if k < 0 else i


cdef inline bint spelled_plainly(const uint8_t* p, size_t size) noexcept nogil:
    """No percent sign, no segment that begins with a dot and no empty one but the last: the path is what it says."""
    cdef size_t i
    for i in range(size):
        if p[i] == 63:
            break
        if p[i] == 37 or ((p[i] == 46 or p[i] == 47) and i and p[i - 1] == 47):
            return False
    return True


cdef inline int read_target(const uint8_t* p, RequestHead* it) noexcept nogil:
    """Take the target apart (RFC 9112 section 3.2); 0 or a Fault."""
    cdef const uint8_t* target = p + it.uri
    cdef size_t size = it.uri_size
    cdef size_t i
    it.authority_size = 0
    it.path = it.uri
    it.path_size = it.uri_size
    if is_method(p, it, "CONNECT", 7):
        return TUNNEL
    if target[0] == 47 or (size == 1 and target[0] == 42 and is_method(p, it, "OPTIONS", 7)):
        return 0
    if size > 7 and alike(target, "http://", 7):
        i = 7
    elif size > 8 and alike(target, "https://", 8):
        i = 8
    else:
        return BAD_TARGET
    it.authority = it.uri + i
    while i < size and target[i] != 47 and target[i] != 63:
        i += 1
    it.authority_size = it.uri + i - it.authority
    it.path = it.uri + i
    it.path_size = size - i
    return 0 if is_host(p + it.authority, it.authority_size) else BAD_TARGET


cdef inline bint signs_on(const uint8_t* p, const Lines* lines) noexcept nogil:
    """Whether credentials are of a scheme that signs on the connection: NTLM, Negotiate (RFC 4559), Kerberos."""
    cdef const uint8_t* value
    cdef size_t n
    cdef int i
    for i in range(lines.n):
        if lines.line[i].name == AUTHORIZATION:
            value = value_of(p, lines.line + i, &n)
            if (n >= 4 and (alike(value, "nego", 4) or alike(value, "ntlm", 4))) or (n >= 8 and alike(value, "kerberos", 8)):
                return True
    return False


cdef inline int judge_request(const uint8_t* p, RequestHead* it, Lines* lines) noexcept nogil:
    """The flags of a request whose lines are read (but for WHOLE and MORE), or a Fault."""
    cdef const uint8_t* value
    cdef size_t n
    cdef int options = 0
    cdef int flags
    it.hops = -1
    it.host_size = 0
    if lines.count[HOST] > 1:
        return BAD_HOST
    if lines.count[HOST]:
        value = value_of(p, lines.line + lines.at[HOST], &n)
        if not is_host(value, n):
            return BAD_HOST
        it.host = value - p
        it.host_size = n
    elif it.minor:
        return NO_HOST
    if it.authority_size:
        it.host = it.authority
        it.host_size = it.authority_size
    if lines.count[CONNECTION]:
        options = read_connection(p, lines)
        if options < 0:
            return options
    flags = read_framing(p, lines, it.minor, &it.length)
    if flags < 0:
        return flags
    if not options & CLOSE and (it.minor or options & KEEP_ALIVE):
        flags |= F_KEEP
    if lines.count[EXPECT_FIELD]:
        pass_expect(it, lines, flags)
    if lines.count[UPGRADE_FIELD] == 1 and options & TO_UPGRADE and it.minor:
        value = value_of(p, lines.line + lines.at[UPGRADE_FIELD], &n)
        if n and not lists(value, n, "h2c", 3):
            flags |= F_UPGRADE
    if lines.count[MAX_FORWARDS] and (is_method(p, it, "OPTIONS", 7) or is_method(p, it, "TRACE", 5)):
        value = value_of(p, lines.line + lines.at[MAX_FORWARDS], &n)
        it.hops = number(value, n) if lines.count[MAX_FORWARDS] == 1 else -1
        if it.hops < 0:
            return BAD_HOPS
        drop_all(lines, MAX_FORWARDS)
    return flags


cdef inline void pass_expect(const RequestHead* it, Lines* lines, int flags) noexcept nogil:
    """Expect passes where a body may wait for a 100: HTTP/1.0 has none, and without a body nobody waits."""
    if not it.minor or not flags & (F_LENGTH | F_CHUNKED):
        drop_all(lines, EXPECT_FIELD)


cdef inline uint8_t* put_request(uint8_t* to, const uint8_t* p, size_t fields, size_t stop, int flags, RequestHead* it,
                                 Lines* lines, const Peer* peer, const uint8_t* new_id) noexcept nogil:
    """Write the head for the server: the request line, the lines from `fields` to `stop` that pass, and ours."""
    cdef uint8_t* begin = to
    cdef const uint8_t* value
    cdef size_t n
    if it.authority_size == 0 and p[fields - 3] == 49 and lines.count[HOST]:
        to = put_passing(to, p, it.line, lines, stop)
    else:
        to = put(to, p + it.line, it.method_size + 1)
        if it.path_size == 0:
            to = put_text(to, "*" if is_method(p, it, "OPTIONS", 7) else "/")
        elif p[it.path] == 63:
            to = put_text(to, "/")
        to = put_text(put(to, p + it.path, it.path_size), " HTTP/1.1\r\n")
        if it.authority_size or not lines.count[HOST]:
            to = put_field(to, "Host: ", p + it.host, it.host_size)
            drop_all(lines, HOST)
        to = put_passing(to, p, fields, lines, stop)
    to = put_forwarded_for(to, p, lines, peer)
    if not peer.trusted or not lines.count[FORWARDED_PROTO]:
        to = put_field(to, "X-Forwarded-Proto: ", peer.scheme, peer.scheme_size)
    if it.host_size and (not peer.trusted or not lines.count[FORWARDED_HOST]):
        to = put_field(to, "X-Forwarded-Host: ", p + it.host, it.host_size)
    if peer.forwarded:
        to = put_forwarded(to, p + it.host, it.host_size, peer)
    to = put_text(to, "Via: 1.1 lbd\r\nX-Request-Id: " if it.minor else "Via: 1.0 lbd\r\nX-Request-Id: ")
    value = kept_id(p, lines, peer.trusted, &n)
    it.id_at = to - begin
    it.id_size = 32 if value is NULL else n
    to = put_text(put(to, new_id if value is NULL else value, it.id_size), "\r\n")
    if flags & F_CHUNKED:
        to = put_text(to, "Transfer-Encoding: chunked\r\n")
    if flags & F_UPGRADE:
        value = value_of(p, lines.line + lines.at[UPGRADE_FIELD], &n)
        to = put_field(put_text(to, "Connection: upgrade\r\n"), "Upgrade: ", value, n)
    if it.hops >= 0:
        to += snprintf(<char*>to, 64, "Max-Forwards: %lld\r\n", <long long>(it.hops - 1 if it.hops else 0))
    return put_text(to, "\r\n")


cdef inline uint8_t* put_forwarded_for(uint8_t* to, const uint8_t* p, const Lines* lines,
                                       const Peer* peer) noexcept nogil:
    """X-Forwarded-For: in one line what a trusted peer says, and the peer itself."""
    cdef const uint8_t* value
    cdef size_t n
    cdef bint first = True
    cdef int i
    if peer.trusted and lines.count[FORWARDED_FOR]:
        for i in range(lines.n):
            if lines.line[i].name == FORWARDED_FOR:
                value = value_of(p, lines.line + i, &n)
                if n:
                    to = put(put_text(to, "X-Forwarded-For: " if first else ", "), value, n)
                    first = False
    if peer.address_size:
        to = put(put_text(to, "X-Forwarded-For: " if first else ", "), peer.address, peer.address_size)
        first = False
    return to if first else put_text(to, "\r\n")


cdef inline uint8_t* put_forwarded(uint8_t* to, const uint8_t* host, size_t host_size, const Peer* peer) noexcept nogil:
    """Forwarded (RFC 7239), as a line of its own after those that the peer sent."""
    to = put_text(to, "Forwarded: for=")
    if not peer.address_size:
        to = put_text(to, "unknown")
    elif memchr(peer.address, 58, peer.address_size) is NULL:
        to = put(to, peer.address, peer.address_size)
    else:
        to = put_text(put(put_text(to, "\"["), peer.address, peer.address_size), "]\"")
    if host_size:
        to = put_text(put(put_text(to, ";host=\""), host, host_size), "\"")
    return put_field(to, ";proto=", peer.scheme, peer.scheme_size)


cdef inline const uint8_t* kept_id(const uint8_t* p, const Lines* lines, bint trusted, size_t* n) noexcept nogil:
    """The X-Request-Id of a trusted peer when it is one of 1 to MOST_ID visible characters, else NULL."""
    cdef const uint8_t* value
    cdef size_t i
    if not trusted or lines.count[REQUEST_ID] != 1:
        return NULL
    value = value_of(p, lines.line + lines.at[REQUEST_ID], n)
    if not 0 < n[0] <= MOST_ID:
        return NULL
    for i in range(n[0]):
        if not KIND[value[i]] & VISIBLE:
            return NULL
    return value
