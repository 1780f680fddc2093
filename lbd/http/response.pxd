"""A response head (RFC 9112 section 4): what its lines say, and the head that goes to the client instead."""

from libc.stdint cimport int64_t, uint8_t
from libc.stdio cimport snprintf
from libc.string cimport memchr

from lbd.http.date cimport put_date
from lbd.http.grammar cimport *
from lbd.http.lines cimport *

cdef enum:    # what is taken of servers that HTTP does not allow, in the order of LENIENT in head.pyx
    STATUS = 1               # 600 to 999
    CONTROLS = 2             # in values, but for NUL, CR and LF
    LINE_FEEDS = 4           # alone, as the end of a line
    HTTP10_CHUNKED = 8
    NAME_SPACES = 16         # white space in names and after them

cdef struct Answered:
    int status
    int minor            # of the server
    bint bare            # no space follows the status
    size_t reason        # offset after the status
    int64_t length
    int64_t stated       # what Content-Length says, of a body or of what HEAD would have
    int options          # what Connection says
    bint restated        # Content-Length is written anew


cdef inline Py_ssize_t read_status_line(const uint8_t* p, size_t size, int lenient, Answered* it) noexcept nogil:
    """Offset after the status line, 0 when it is incomplete, or a Fault. Its reason may be left out with its space."""
    cdef const char* version = "HTTP/1.1 "
    cdef size_t i
    cdef const uint8_t* found
    for i in range(12):
        if i == size:
            return 0
        if not KIND[p[i]] & DIGIT if i == 7 or i > 8 else p[i] != <uint8_t>version[i]:
            return BAD_STATUS
    it.minor = p[7] != 48
    it.status = (p[9] - 48) * 100 + (p[10] - 48) * 10 + (p[11] - 48)
    if it.status < 100 or (it.status > 599 and not lenient & STATUS):
        return BAD_STATUS
    if size == 12:
        return 0
    it.reason = 12
    it.bare = p[12] == 13
    if p[12] != 32 and p[12] != 13:
        return BAD_STATUS
    found = <const uint8_t*>memchr(p + 12, 10, size - 12)
    if found is NULL:
        return 0
    return found - p + 1 if found[-1] == 13 else BAD_LINE_END


cdef inline int64_t agreed_length(const uint8_t* p, const Lines* lines) noexcept nogil:
    """The length that all Content-Length fields and their items give alike, else -1 (RFC 9110 8.6)."""
    cdef const uint8_t* value
    cdef size_t n, start, stop, after
    cdef int64_t length = -1
    cdef int64_t item
    cdef int i
    for i in range(lines.n):
        if lines.line[i].name != CONTENT_LENGTH:
            continue
        value = value_of(p, lines.line + i, &n)
        after = 0
        while after <= n:
            start = after
            after = next_item(value, n, &start, &stop)
            item = number(value + start, stop - start)
            if item < 0 or (length >= 0 and item != length):
                return -1
            length = item
    return length


cdef inline int read_answer_framing(const uint8_t* p, Answered* it, Lines* lines, int lenient) noexcept nogil:
    """As `read_framing`, of an answer: chunked overrides a length (RFC 9112 6.3), and equal lengths are one."""
    cdef int flags
    if lines.count[TRANSFER_ENCODING] and lines.count[CONTENT_LENGTH]:
        drop_all(lines, CONTENT_LENGTH)
        lines.count[CONTENT_LENGTH] = 0
        it.options |= CLOSE
    flags = read_framing(p, lines, it.minor or lenient & HTTP10_CHUNKED, &it.length)
    if flags == BAD_LENGTH:
        it.length = agreed_length(p, lines)
        if it.length < 0:
            return BAD_LENGTH
        drop_all(lines, CONTENT_LENGTH)
        it.restated = True
        flags = F_LENGTH if it.length else 0
    if flags == F_CHUNKED and not it.minor:
        it.options |= CLOSE
    return flags


cdef inline int judge_response(const uint8_t* p, Answered* it, Lines* lines, bint to_head, int lenient) noexcept nogil:
    """The flags of a response whose lines are read (but for WHOLE and MORE), or a Fault."""
    cdef int flags
    it.options = 0
    it.restated = False
    if lines.count[CONNECTION]:
        it.options = read_connection(p, lines)
        if it.options < 0:
            return it.options
    flags = read_answer_framing(p, it, lines, lenient)
    if flags < 0:
        return flags
    it.stated = it.length
    if it.status < 200 or it.status == 204:
        drop_all(lines, CONTENT_LENGTH)
        it.restated = False
    if it.status < 200 or it.status == 204 or it.status == 304 or to_head:
        flags = 0
        it.length = 0
    elif not flags and not lines.count[CONTENT_LENGTH]:
        flags = F_UNTIL_CLOSE
    if it.status == 101:
        return <int>F_UPGRADE if lines.count[UPGRADE_FIELD] else <int>BAD_UPGRADE
    if not flags & F_UNTIL_CLOSE and not it.options & CLOSE and (it.minor or it.options & KEEP_ALIVE):
        flags |= F_KEEP
    return flags


cdef inline uint8_t* put_response(uint8_t* to, const uint8_t* p, size_t fields, size_t stop, int flags,
                                  const Answered* it, Lines* lines, int minor, bint keep) noexcept nogil:
    """Write the head for the client: the status line, the lines from `fields` to `stop` that pass, and ours."""
    cdef const uint8_t* value
    cdef size_t n
    cdef bint upgrade = lines.count[UPGRADE_FIELD] and (it.status == 101 or it.status == 426)
    if flags & F_UNTIL_CLOSE or (flags & F_CHUNKED and not minor):
        keep = False
    if p[7] == 49 and not it.bare:
        to = put_passing(to, p, 0, lines, stop)
    else:
        to = put(put_text(to, "HTTP/1.1"), p + 8, it.reason - 8)
        to = put_text(to, " ") if it.bare else to
        to = put(to, p + it.reason, fields - it.reason)
        to = put_passing(to, p, fields, lines, stop)
    if flags & F_CHUNKED and minor:
        to = put_text(to, "Transfer-Encoding: chunked\r\n")
    if it.restated:
        to += snprintf(<char*>to, 64, "Content-Length: %lld\r\n", <long long>it.stated)
    if it.status >= 200 and not lines.count[DATE]:
        to = put_date(to)
    if upgrade:
        value = value_of(p, lines.line + lines.at[UPGRADE_FIELD], &n)
        to = put_text(to, "Connection: upgrade\r\n" if keep or it.status == 101 else "Connection: close, upgrade\r\n")
        to = put_field(to, "Upgrade: ", value, n)
    elif it.status >= 200:
        if not keep:
            to = put_text(to, "Connection: close\r\n")
        elif not minor:
            to = put_text(to, "Connection: keep-alive\r\n")
    return put_text(to, "\r\n")
