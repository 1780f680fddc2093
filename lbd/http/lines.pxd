"""The field lines of a head or trailer section (RFC 9112 section 5), read in one pass without an object per field."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memchr, memcpy, memset, strlen

from lbd.http.grammar cimport (CONNECTION, CONTENT_LENGTH, FOLD, KIND, LOOKALIKE, LOWER, NAMES, OTHER, TOKEN,
                               TRANSFER_ENCODING, is_text, name_of, number)

cdef enum:    # Flag: the flags of head.pyi
    F_KEEP = 1
    F_LENGTH = 2
    F_CHUNKED = 4
    F_UNTIL_CLOSE = 8
    F_WHOLE = 16
    F_MORE = 32
    F_UPGRADE = 64
    F_SIMPLE = 128

cdef struct Line:
    uint32_t start       # offset of the name
    uint32_t colon
    uint32_t next        # offset after the line end
    uint8_t name         # Name
    uint8_t drop         # it does not pass

cdef struct Lines:
    Line* line
    int room
    int n
    uint32_t count[NAMES]    # how many there are of each Name
    int32_t at[NAMES]        # and where the last is

cdef enum:    # Fault: what is wrong with a message; FAULTS in head.pyx has status and text of each
    NONE = 0
    BAD_METHOD = -1
    BAD_TARGET = -2
    BAD_VERSION = -3
    LONG_TARGET = -4
    TUNNEL = -5
    LONG_HEAD = -6
    MANY_FIELDS = -7
    BAD_NAME = -8
    BAD_LINE_END = -9
    BAD_VALUE = -10
    BAD_HOST = -11
    NO_HOST = -12
    BAD_LENGTH = -13
    BAD_CODING = -14
    TWO_FRAMINGS = -15
    MANY_OPTIONS = -16
    BAD_HOPS = -17
    BAD_STATUS = -18
    BAD_UPGRADE = -19
    BAD_CHUNK = -20
    LONG_CHUNK_LINE = -21
    LONG_TRAILERS = -22
    LONG_BODY = -23
    EMPTY_LINES = -24
    UNKNOWN_CODING = -25
    UNDERSCORE = -26

cdef enum:    # Options: what the Connection fields say
    CLOSE = 1
    KEEP_ALIVE = 2
    TO_UPGRADE = 4
    MOST_OPTIONS = 64


cdef inline size_t controls(const uint8_t* p, size_t n) noexcept nogil:
    """How many control characters other than tabs; a sum of bytes in short blocks, which compilers make vectors of."""
    cdef size_t total = 0
    cdef size_t i, m
    cdef uint8_t some
    while n:
        m = n if n < 240 else 240
        some = 0
        for i in range(m):
            some += <uint8_t>(((p[i] < 32) & (p[i] != 9)) | (p[i] == 127))
        total += some
        p += m
        n -= m
    return total


cdef inline Py_ssize_t read_lines(const uint8_t* p, size_t pos, size_t size, const uint8_t* drops, uint8_t kind,
                                  Lines* lines) noexcept nogil:
    """Read field lines from `pos` to the empty line: the offset after it, 0 when it is not there yet, or a Fault.

    `drops` says of each Name whether its lines pass, `kind` what names are made of (a Kind). Values are checked by `controls` over the whole head: when all
    line ends are CR LF and there are no more control characters than those, there is none in a value.
    """
    cdef size_t i = pos
    cdef const uint8_t* found
    cdef Line* line
    lines.n = 0
    memset(lines.count, 0, sizeof(lines.count))
    while True:
        if i >= size:
            return 0
        if p[i] == 13:
            if i + 1 >= size:
                return 0
            return i + 2 if p[i + 1] == 10 else BAD_LINE_END
        if lines.n == lines.room:
            return MANY_FIELDS
        line = lines.line + lines.n
        line.start = i
        while i < size and KIND[p[i]] & kind:
            i += 1
        if i == size:
            return 0
        if p[i] != 58 or i == line.start:
            return <Py_ssize_t>UNDERSCORE if p[i] == 95 else <Py_ssize_t>BAD_NAME
        line.colon = i
        found = <const uint8_t*>memchr(p + i, 10, size - i)
        if found is NULL:
            return 0
        i = found - p
        if p[i - 1] != 13:
            return BAD_LINE_END
        i += 1
        line.next = i
        sort(p, line, drops, lines)
        lines.n += 1


cdef inline void sort(const uint8_t* p, Line* line, const uint8_t* drops, Lines* lines) noexcept nogil:
    """Find which Name the line has, and whether it passes; count it."""
    cdef int name = name_of(p + line.start, line.colon - line.start)
    line.name = OTHER
    line.drop = 0
    if name > 0:
        line.name = name
        line.drop = drops[name]
        lines.count[name] += 1
        lines.at[name] = lines.n
    elif name < 0:       # a look-alike: where it could be taken for the real one, it does not pass
        line.drop = drops[LOOKALIKE - name]


cdef inline const uint8_t* value_of(const uint8_t* p, const Line* line, size_t* n) noexcept nogil:
    """The value of a line without the white space around it."""
    cdef size_t start = line.colon + 1
    cdef size_t stop = line.next - 2
    while start < stop and (p[start] == 32 or p[start] == 9):
        start += 1
    while stop > start and (p[stop - 1] == 32 or p[stop - 1] == 9):
        stop -= 1
    n[0] = stop - start
    return p + start


cdef inline bint same_name(const uint8_t* a, const uint8_t* b, size_t n, const uint8_t* by) noexcept nogil:
    """Whether two names of n bytes are the same `by` LOWER or FOLD."""
    cdef size_t i
    for i in range(n):
        if by[a[i]] != by[b[i]]:
            return False
    return True


cdef inline size_t next_line(const uint8_t* p, size_t size, size_t i) noexcept nogil:
    """Where the line after the one at `i` begins; 0 if it is not there."""
    cdef const uint8_t* found = <const uint8_t*>memchr(p + i, 10, size - i)
    return 0 if found is NULL else found - p + 1


cdef inline bint next_field(const uint8_t* p, size_t size, size_t* i, Line* line) noexcept nogil:
    """Find the field line at i[0] of a head that was read before, and step over it; False at the empty line."""
    cdef const uint8_t* colon
    cdef size_t start = i[0]
    cdef size_t after = next_line(p, size, start)
    if after < start + 3 or p[after - 2] != 13:
        return False
    colon = <const uint8_t*>memchr(p + start, 58, after - 2 - start)
    if colon is NULL:
        return False
    line.start = start
    line.colon = colon - p
    line.next = i[0] = after
    return True


cdef inline size_t next_item(const uint8_t* p, size_t n, size_t* start, size_t* stop) noexcept nogil:
    """The item of a comma-separated list that begins at start[0], trimmed; returns where the next one begins."""
    cdef size_t i = start[0]
    cdef size_t after
    while i < n and (p[i] == 32 or p[i] == 9):
        i += 1
    start[0] = i
    while i < n and p[i] != 44:
        i += 1
    after = i + 1
    while i > start[0] and (p[i - 1] == 32 or p[i - 1] == 9):
        i -= 1
    stop[0] = i
    return after


cdef inline uint8_t* put(uint8_t* to, const void* what, size_t n) noexcept nogil:
    memcpy(to, what, n)
    return to + n


cdef inline uint8_t* put_text(uint8_t* to, const char* text) noexcept nogil:
    return put(to, text, strlen(text))


cdef inline uint8_t* put_passing(uint8_t* to, const uint8_t* p, size_t run, const Lines* lines, size_t stop) noexcept nogil:
    """Copy from `run` to `stop`, the end of the lines, without those dropped: neighbours in one go."""
    cdef int i
    cdef const Line* line
    for i in range(lines.n):
        line = lines.line + i
        if line.drop:
            to = put(to, p + run, line.start - run)
            run = line.next
    return put(to, p + run, stop - run)


cdef inline int read_connection(const uint8_t* p, Lines* lines) noexcept nogil:
    """The Connection fields as Options, or a Fault; the fields they name do not pass.

    Only fields without a meaning here can be named away: a client must not strip Host, Cookie or X-Forwarded-For.
    """
    cdef int options = 0
    cdef int named = 0
    cdef int i, k
    cdef int last = lines.at[CONNECTION]
    cdef size_t n, start, stop, after
    cdef const uint8_t* value
    for i in range(last if lines.count[CONNECTION] == 1 else 0, last + 1):
        if lines.line[i].name != CONNECTION:
            continue
        value = value_of(p, lines.line + i, &n)
        after = 0
        while after < n:
            start = after
            after = next_item(value, n, &start, &stop)
            if stop == start:
                continue
            named += 1
            if named > MOST_OPTIONS:
                return MANY_OPTIONS
            if is_text(value + start, stop - start, "keep-alive", 10):
                options |= KEEP_ALIVE
            elif is_text(value + start, stop - start, "close", 5):
                options |= CLOSE
            elif is_text(value + start, stop - start, "upgrade", 7):
                options |= TO_UPGRADE
            else:
                for k in range(lines.n):
                    if lines.line[k].name == OTHER and lines.line[k].colon - lines.line[k].start == stop - start \
                            and same_name(p + lines.line[k].start, value + start, stop - start, FOLD):
                        lines.line[k].drop = 1
    return options


cdef inline int foreign_coding(const uint8_t* value, size_t n) noexcept nogil:
    """The Fault of a Transfer-Encoding that is not just chunked: UNKNOWN_CODING for a list of codings in which chunked
    stands at most once, and last (RFC 9112 6.1, 6.3)."""
    cdef size_t after = 0
    cdef size_t start, stop, i
    cdef bint chunked = False
    while after <= n:
        start = after
        after = next_item(value, n, &start, &stop)
        i = start
        while i < stop and KIND[value[i]] & TOKEN:
            i += 1
        if chunked or i == start or (i < stop and value[i] != 59):
            return BAD_CODING
        chunked = is_text(value + start, i - start, "chunked", 7)
        if chunked and i < stop:
            return BAD_CODING
    return UNKNOWN_CODING


cdef inline int read_framing(const uint8_t* p, const Lines* lines, bint minor, int64_t* length) noexcept nogil:
    """How the body is framed (RFC 9112 section 6): 0 not at all, F_LENGTH with its length, F_CHUNKED, or a Fault."""
    cdef const uint8_t* value
    cdef size_t n
    length[0] = 0
    if lines.count[TRANSFER_ENCODING]:
        if lines.count[CONTENT_LENGTH]:
            return TWO_FRAMINGS
        value = value_of(p, lines.line + lines.at[TRANSFER_ENCODING], &n)
        if lines.count[TRANSFER_ENCODING] > 1 or not minor:
            return BAD_CODING
        return <int>F_CHUNKED if is_text(value, n, "chunked", 7) else foreign_coding(value, n)
    if lines.count[CONTENT_LENGTH]:
        value = value_of(p, lines.line + lines.at[CONTENT_LENGTH], &n)
        length[0] = number(value, n) if lines.count[CONTENT_LENGTH] == 1 else -1
        if length[0] < 0:
            return BAD_LENGTH
        return F_LENGTH if length[0] else 0
    return 0


cdef inline bint sound(const uint8_t* p, size_t start, size_t stop, const Lines* lines) noexcept nogil:
    """Whether start line and field lines read from `start` to `stop` have no control characters but their line ends."""
    return controls(p + start, stop - start) == 2 * (<size_t>lines.n + 2)


cdef inline bint lists(const uint8_t* p, size_t n, const char* lower, size_t size) noexcept nogil:
    """Whether `lower` is an item of a comma-separated list."""
    cdef size_t after = 0
    cdef size_t start, stop
    while after < n:
        start = after
        after = next_item(p, n, &start, &stop)
        if is_text(p + start, stop - start, lower, size):
            return True
    return False


cdef inline void drop_all(Lines* lines, int name) noexcept nogil:
    cdef int i
    for i in range(lines.n):
        if lines.line[i].name == name:
            lines.line[i].drop = 1


cdef inline uint8_t* put_field(uint8_t* to, const char* name, const uint8_t* value, size_t n) noexcept nogil:
    """`name` with its colon and space, the value, and a line end."""
    return put(put(put_text(to, name), value, n), <const char*>"\r\n", 2)
