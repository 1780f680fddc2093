# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""HTTP/1 messages (RFC 9110, 9112): one compiled pass over each head, and chunked bodies as they pass."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy
from libc.time cimport time_t

from lbd.http.chunked cimport *
from lbd.http.date cimport write_date
from lbd.http.grammar cimport *
from lbd.http.ids cimport put_id
from lbd.http.lines cimport *
from lbd.http.memory cimport copied, fitting, joined, rest, same
from lbd.http.message cimport Head, begin
from lbd.http.names cimport *
from lbd.http.request cimport *
from lbd.http.response cimport *
from lbd.http.tidy cimport tidied

from lbd.http.faults import FAULTS as _FAULTS

KEEP, LENGTH, CHUNKED, UNTIL_CLOSE, WHOLE, MORE, UPGRADE, SIMPLE = [1 << bit for bit in range(8)]

cdef tuple FAULTS = _FAULTS
cdef tuple LENIENT = ("status", "control-characters", "line-feeds", "http10-chunked", "name-spaces")

cdef bytes POST = b"POST", PATCH = b"PATCH"
cdef list METHODS = [b"GET", POST, b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", PATCH]

cdef enum:
    MOST_TRAILER = 8192          # bytes of a trailer section
    MOST_TRAILERS = 64           # fields in it

cdef Line TRAILER_LINES[MOST_TRAILERS]
cdef uint8_t* PASSED = NULL      # what a body keeps when something is taken out of it
cdef size_t PASSED_ROOM = 0


cdef class Request:
    """The scanner of request heads. One per listener and worker: read its facts before the next `scan`."""

    def __cinit__(self, Py_ssize_t max_head, int max_headers, Py_ssize_t max_uri, bint forwarded=False,
                  str underscores="drop-lookalikes", bint certified=False):
        if not (0 < max_head <= 1 << 24 and 0 < max_headers <= 1 << 16 and max_uri > 0):
            raise ValueError("max_head must be 1 byte to 16 MiB, max_headers 1 to 65536, max_uri at least 1")
        self.host = b""
        self.error = ""
        self.max_head, self.max_uri, self.peer.forwarded = max_head, max_uri, forwarded
        self.kind = UNSCORED if underscores == "refuse" else TOKEN
        fill_drops(self.untrusted, self.trusted, PASS if underscores == "pass" else DROP_LOOKALIKES, certified)
        self.lines.room = max_headers
        self.lines.line = <Line*>PyMem_Malloc(max_headers * sizeof(Line))
        if self.lines.line is NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.lines.line)
        PyMem_Free(self.scratch)

    cpdef int scan(self, bytes data, Py_ssize_t start, bytes peer, bytes proto, bint trusted) except -1:
        """Read the request head that begins at `start`: 0 incomplete, flags, or minus the status to refuse with."""
        if data is None or peer is None or proto is None:
            raise TypeError("bytes are needed")
        cdef size_t size
        cdef const uint8_t* p = rest(data, start, &size)
        cdef size_t most = min(size, self.max_head)
        cdef Py_ssize_t fields = read_request_line(p, most, self.max_uri, &self.parsed)
        cdef Py_ssize_t stop = fields
        cdef int flags
        cdef bint signs
        if fields > 0:
            stop = read_lines(p, fields, most, &self.trusted[0] if trusted else &self.untrusted[0], self.kind, &self.lines)
        if stop > 0:
            flags = judge_request(p, &self.parsed, &self.lines) \
                if sound(p, self.parsed.line, stop, &self.lines) else BAD_VALUE
        elif stop == 0 and size < self.max_head:
            return 0
        else:
            flags = stop if stop else LONG_HEAD
        if flags < 0:
            status, self.error = FAULTS[-flags]
            return -<int>status
        flags |= whole(flags, size, stop, self.parsed.length)
        signs = self.lines.count[AUTHORIZATION] > 0 and signs_on(p, &self.lines)
        if flags & ~F_KEEP == F_WHOLE and self.parsed.minor and self.parsed.hops < 0 and not signs \
                and not is_method(p, &self.parsed, "HEAD", 4):
            flags |= F_SIMPLE
        self.head = start + stop
        self.end = self.head + self.parsed.length
        self.peer.address, self.peer.address_size = <const uint8_t*>PyBytes_AS_STRING(peer), PyBytes_GET_SIZE(peer)
        self.peer.scheme, self.peer.scheme_size = <const uint8_t*>PyBytes_AS_STRING(proto), PyBytes_GET_SIZE(proto)
        self.peer.trusted = trusted
        self.take(p, fields, stop, flags)
        self.message.signs = signs
        return flags

    cdef int take(self, const uint8_t* p, size_t fields, size_t stop, int flags) except -1:
        """Make the objects of a head that is good."""
        cdef RequestHead* it = &self.parsed
        cdef uint8_t new_id[32]
        cdef uint8_t* end
        cdef bytes method
        cdef Head made = Head.__new__(Head)
        self.message = made
        self.scratch = fitting(self.scratch, &self.room,
                               6 * stop + 4 * (self.peer.address_size + self.peer.scheme_size) + 1024)
        put_id(new_id, 2)
        end = put_request(self.scratch, p, fields, stop - 2, flags, it, &self.lines, &self.peer, new_id)
        begin(made, copied(self.scratch, end - self.scratch), end - self.scratch)
        made.flags = flags
        made.length, made.hops, made.minor = it.length, it.hops, it.minor
        made.host = self.host = same(self.host, p + it.host, it.host_size)
        if it.authority_size and (it.path_size == 0 or p[it.path] == 63):
            made._target = b"/" + copied(p + it.path, it.path_size)
            if it.path_size == 0 and is_method(p, it, "OPTIONS", 7):
                made._target = b"*"
        else:
            made._target = copied(p + it.path, it.path_size)
        made.plain = spelled_plainly(p + it.path, it.path_size)
        made.to_head = is_method(p, it, "HEAD", 4)
        for method in METHODS:
            if is_method(p, it, PyBytes_AS_STRING(method), PyBytes_GET_SIZE(method)):
                made.method = method
                made.idempotent = method is not POST and method is not PATCH
                return 0
        made.method = copied(p + it.line, it.method_size)
        return 0


cdef inline int whole(int flags, size_t size, size_t head, size_t length) noexcept:
    """F_WHOLE and F_MORE of a message whose head and body are so long, in data of `size`."""
    if flags & (F_CHUNKED | F_UNTIL_CLOSE) or size - head < length:
        return 0
    return F_WHOLE | F_MORE if size - head > length else F_WHOLE


cdef class Response:
    """The scanner of response heads. Backends of a worker share it: read its facts before the next `scan`."""

    def __cinit__(self, Py_ssize_t max_head, int max_headers, tuple lenient=()):
        cdef str name
        if not (0 < max_head <= 1 << 24 and 0 < max_headers <= 1 << 16):
            raise ValueError("max_head must be 1 byte to 16 MiB, max_headers 1 to 65536")
        for name in lenient:
            self.lenient |= 1 << <int>LENIENT.index(name)
        self.error = ""
        self.max_head = max_head
        self.lines.room = max_headers
        self.lines.line = <Line*>PyMem_Malloc(max_headers * sizeof(Line))
        if self.lines.line is NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.lines.line)
        PyMem_Free(self.scratch)
        PyMem_Free(self.tidy)

    cpdef int scan(self, bytes data, Py_ssize_t start, bint to_head, int minor, bint keep) except -1:
        """Read the response head that begins at `start`: 0 incomplete, flags, or -502."""
        if data is None:
            raise TypeError("bytes are needed")
        cdef size_t size
        cdef const uint8_t* p = rest(data, start, &size)
        cdef size_t most = min(size, self.max_head)
        cdef Py_ssize_t at[2]        # where the fields begin, and where the head ends, in what was judged
        cdef uint8_t* end
        cdef int flags = self.judge(p, most, to_head, False, at)
        cdef Py_ssize_t stop = at[1]
        cdef const uint8_t* text = p
        cdef Head made = Head.__new__(Head)
        if flags < 0 and self.lenient & (CONTROLS | LINE_FEEDS | NAME_SPACES):
            self.tidy = end = fitting(self.tidy, &self.tidy_room, 2 * most + 2)
            stop = tidied(p, most, self.lenient, &end)
            text = self.tidy
            flags = self.judge(text, end - text, to_head, True, at) if stop > 0 else stop
        if stop == 0:
            if size < self.max_head:
                return 0
            flags = LONG_HEAD
        if flags < 0:
            self.error = FAULTS[-flags][1]
            return -502
        flags |= whole(flags, size, stop, self.answered.length)
        self.head = start + stop
        self.end = self.head + self.answered.length
        begin(made, b"", 0)
        made.length, made.status, made.minor = self.answered.length, self.answered.status, self.answered.minor
        self.message = made
        self.scratch = fitting(self.scratch, &self.room, 2 * at[1] + 1024)
        end = put_response(self.scratch, text, at[0], at[1] - 2, flags, &self.answered, &self.lines, minor, keep)
        made.size = end - self.scratch
        if flags & (F_WHOLE | F_MORE) == F_WHOLE and made.status >= 200:
            flags |= F_SIMPLE
            made._text = joined(self.scratch, end - self.scratch, p + stop, self.answered.length)
        else:
            made._text = copied(self.scratch, end - self.scratch)
        made.flags = flags
        return flags

    cdef int judge(self, const uint8_t* p, size_t size, bint to_head, bint tidy, Py_ssize_t* at) noexcept:
        """The flags of the head at `p`, or a Fault; at[1] stays 0 while it is incomplete. `tidy`: values are checked."""
        at[0] = at[1] = read_status_line(p, size, self.lenient, &self.answered)
        if at[0] > 0:
            at[1] = read_lines(p, at[0], size, ANSWER, TOKEN, &self.lines)
        if at[1] <= 0:
            return at[1]
        if not tidy and not sound(p, 0, at[1], &self.lines):
            return BAD_VALUE
        return judge_response(p, &self.answered, &self.lines, to_head, self.lenient)


cdef class Chunks:
    """Follows a chunked body as it passes, strictly; one per body."""

    cdef readonly bytes out, trailers
    cdef readonly Py_ssize_t end
    cdef readonly str error
    cdef Chunked chunked
    cdef bytes trailer
    cdef tuple remove
    cdef bint fold
    cdef uint8_t kind

    def __cinit__(self, bint decode, int64_t limit, tuple remove not None=(), bint fold=False,
                  str underscores="drop-lookalikes"):
        if limit < 0:
            raise ValueError("limit must not be negative")
        self.chunked.decode, self.chunked.limit = decode, limit
        self.remove, self.fold = remove, fold
        self.kind = UNSCORED if underscores == "refuse" else TOKEN
        self.out = self.trailer = self.trailers = b""
        self.error = ""

    @property
    def size(self):
        return self.chunked.size

    def feed(self, bytes data not None, Py_ssize_t start):
        """0 more is to come, 1 the body ended at `end`, -400 malformed, -413 beyond the limit."""
        cdef size_t size
        cdef const uint8_t* p = rest(data, start, &size)
        cdef Chunked* it = &self.chunked
        if it.state == CONTENT and it.left > <int64_t>size and start == 0:
            it.left -= size
            it.size += size
            self.out = data
            return 0
        return self.follow(data, start, p, size)

    cdef int follow(self, bytes data, Py_ssize_t start, const uint8_t* p, size_t size) except -999:
        global PASSED
        cdef Chunked* it = &self.chunked
        cdef size_t done[2]
        cdef uint8_t* to
        cdef Py_ssize_t used
        cdef int fault = BAD_CHUNK
        PASSED = to = fitting(PASSED, &PASSED_ROOM, size + MOST_TRAILER + 2)
        self.out = b""
        if it.state != BROKEN:
            fault = follow(it, p, size, &to, done)
        if fault < 0:
            it.state = BROKEN
            status, self.error = FAULTS[-fault]
            return -<int>status
        if it.state == TRAILERS:
            to = put(to, p + done[1], done[0] - done[1])
            used = self.read_trailers(data[start + <Py_ssize_t>done[0]:start + <Py_ssize_t>done[0] + MOST_TRAILER], &to)
            if used < 0:
                it.state = BROKEN
                status, self.error = FAULTS[-used]
                return -<int>status
            done[0] = done[1] = done[0] + used
        if to == PASSED and done[1] == 0:
            self.out = data if start == 0 and done[0] == <size_t>PyBytes_GET_SIZE(data) else copied(p, done[0])
        else:
            to = put(to, p + done[1], done[0] - done[1])
            self.out = copied(PASSED, to - PASSED)
        self.end = start + done[0]
        return it.state == DONE

    cdef Py_ssize_t read_trailers(self, bytes more, uint8_t** to) except -999:
        """Read on in the trailer section, and write it once it is whole; how much of `more` belongs to it, or a Fault."""
        cdef Lines lines
        cdef Py_ssize_t before = len(self.trailer)
        cdef Py_ssize_t stop
        cdef const uint8_t* p
        cdef uint8_t* end
        cdef int i
        self.trailer = (self.trailer + more)[:MOST_TRAILER]
        p = <const uint8_t*>PyBytes_AS_STRING(self.trailer)
        lines.line, lines.room = TRAILER_LINES, MOST_TRAILERS
        stop = read_lines(p, 0, PyBytes_GET_SIZE(self.trailer), TRAILER, self.kind, &lines)
        if stop == 0 and PyBytes_GET_SIZE(self.trailer) < MOST_TRAILER:
            return len(more)
        if stop <= 0:
            return LONG_TRAILERS if stop == 0 or stop == MANY_FIELDS else stop
        if controls(p, stop) != 2 * (<size_t>lines.n + 1):
            return BAD_VALUE
        for i in range(lines.n if self.remove else 0):
            if named(p, &lines.line[i], self.remove, self.fold):
                lines.line[i].drop = 1
        end = put_passing(to[0], p, 0, &lines, stop - 2)
        if self.chunked.decode:
            self.trailers = copied(to[0], end - to[0])
        else:
            to[0] = put_text(end, "\r\n")
        self.chunked.state = DONE
        return stop - before


def edit(bytes head not None, bytes target, tuple remove not None, bytes add not None, bint fold=False):
    """The head with another target, without the fields named in `remove`, and with the lines `add` before its end."""
    global PASSED
    cdef size_t size
    cdef const uint8_t* p = rest(head, 0, &size)
    cdef size_t i = next_line(p, size, 0)
    cdef size_t run = 0
    cdef size_t first, second
    cdef Line line
    cdef uint8_t* to
    PASSED = to = fitting(PASSED, &PASSED_ROOM, size + len(add) + (0 if target is None else len(target)))
    if target is not None:
        first = head.find(b" ") + 1
        second = head.find(b" ", first)
        if not 0 < first < second < i:
            raise ValueError("not the head of a request")
        to = put(put(to, p, first), PyBytes_AS_STRING(target), PyBytes_GET_SIZE(target))
        run = second
    while i and next_field(p, size, &i, &line):
        if named(p, &line, remove, fold):
            to = put(to, p + run, line.start - run)
            run = line.next
    if i == 0 or i + 2 > size or p[i] != 13 or p[i + 1] != 10:
        raise ValueError("not a head: it does not end in an empty line")
    to = put(put(to, p + run, i - run), PyBytes_AS_STRING(add), PyBytes_GET_SIZE(add))
    to = put(to, p + i, size - i)
    return copied(PASSED, to - PASSED)


cdef bint named(const uint8_t* p, const Line* line, tuple names, bint fold) except -1:
    cdef bytes name
    for name in names:
        if <uint32_t>PyBytes_GET_SIZE(name) == line.colon - line.start \
                and same_name(p + line.start, <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name),
                              &FOLD[0] if fold else &LOWER[0]):
            return True
    return False


def values(bytes head not None, bytes name not None):
    """The values of every field called `name` (lower case) in a head as in `out`, in order."""
    cdef size_t size, n
    cdef const uint8_t* p = rest(head, 0, &size)
    cdef const uint8_t* value
    cdef size_t i = next_line(p, size, 0)
    cdef Line line
    cdef tuple names = (name,)
    cdef list found = []
    while i and next_field(p, size, &i, &line):
        if named(p, &line, names, False):
            value = value_of(p, &line, &n)
            found.append(copied(value, n))
    return found


fill_kinds()
fill_names()


def date_line(time_t second):
    """The Date field of a time in seconds since 1970, with its line end; b"" for one that has no date."""
    cdef char text[64]
    return copied(<const uint8_t*>text, write_date(second, text))
