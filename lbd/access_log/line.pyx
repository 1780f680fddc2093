# cython: boundscheck=False, wraparound=False, cdivision=True
"""Lines of the access log, made in one buffer: JSON, or the common log format with or without its combined fields."""

import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcpy
from libc.time cimport gmtime_r, strftime, time_t, tm

from lbd.access_log.escape cimport escape
from lbd.stats.scoreboard cimport Record, clock
from lbd.access_log.text cimport Text, digits, of, of_name, same

from lbd.access_log import columns

from lbd.stats import endings

cdef enum:
    TIME, LISTENER, ROUTE, BACKEND, SERVER, CLIENT, METHOD, TARGET, PROTOCOL, HOST, STATUS, BYTES_IN, BYTES_OUT, QUEUE
    CONNECT, FIRST_BYTE, TOTAL, RETRIES, ENDING, REASON, ID, GENERATION, WORKER, REFERER, USER_AGENT
    TLS_VERSION, TLS_CIPHER, SNI, UNIX, CLIENT_PORT, OTHER

cdef enum:
    J, COMMON, COMBINED         # forms
    MOST = 4096
    LINES = 256                 # after which they are to be written
    BYTES = 262144

LONGEST, BATCH = MOST, LINES

cdef bint well[64]
cdef list ending_names = []
for _place, _ending in enumerate(endings.ENDINGS):
    well[_place] = _ending.blame == endings.NOBODY
    ending_names.append(_ending.name)
if columns.NAMES.index("user_agent") != USER_AGENT or len(columns.NAMES) != OTHER or len(ending_names) > 64:
    raise ImportError("the columns of lbd.access_log do not fit the compiled log: build lbd again")


cdef class LineFormatter:
    def __cinit__(self, str form, names, double sample, int64_t generation, int64_t worker):
        if form not in ("json", "common", "combined") or not 0 <= sample <= 1:
            raise ValueError(f"no log has the form {form!r} with a share of {sample}")
        self.form = ("json", "common", "combined").index(form)
        if self.form:
            names = ("referer", "user_agent") if self.form == COMBINED else ()
        self.zero = time.time() - clock()
        self.sample = sample
        self.random = time.time_ns() | 1
        self.generation = generation
        self.worker = worker
        self.second = -1
        self.number = len(names)
        self.columns = <LogColumn *>calloc(self.number + 1, sizeof(LogColumn))
        if self.columns == NULL:
            raise MemoryError
        self.kept = []
        self.header_columns = <Py_ssize_t *>calloc(self.number + 1, sizeof(Py_ssize_t))
        if self.header_columns == NULL:
            raise MemoryError
        self.fixed = 256
        for place, name in enumerate(names):
            self._column(&self.columns[<Py_ssize_t>place], name, b"," if place else b"{")
            self.fixed += self.columns[<Py_ssize_t>place].key.size + NUMBER
            if self.columns[<Py_ssize_t>place].header.start != NULL:
                self.header_columns[self.headers] = place
                self.initials |= <uint64_t>1 << (self.columns[<Py_ssize_t>place].header.start[0] & 31)
                self.headers += 1

    def __dealloc__(self):
        free(self.columns)
        free(self.header_columns)
        free(self.buffer)

    cdef int _column(self, LogColumn *column, str name, bytes before) except -1:
        header = ""
        if name.startswith("header:"):
            column.place, header = OTHER, name[7:].lower()
        elif name in columns.NAMES:
            column.place = columns.NAMES.index(name)
            header = columns.COLUMNS[column.place].header
        else:
            raise ValueError(f"no log has a column {name!r}")
        key, wanted = before + b'"' + name.encode() + b'":', header.encode()
        self.kept += [key, wanted]
        column.key = of(key)
        column.header.size = len(wanted)
        column.header.start = PyBytes_AS_STRING(wanted) if wanted else NULL
        return 0

    cpdef void add(self, Record record, str listener, int64_t route, str backend, str server, bytes client, bytes head,
                   int minor, long long bytes_in, long long bytes_out, int ending, str reason=None,
                   int port=-1) except *:
        cdef Text method, target, why = of_name(reason)
        cdef LogColumn *column
        cdef Py_ssize_t place
        cdef int what
        if record is None or listener is None or backend is None or client is None or head is None:
            raise TypeError("only server and reason may be None")
        if not 0 <= ending < len(ending_names):
            raise ValueError(f"{ending} is no ending")
        if self._skipped(record.status, ending):
            return
        self._head(of(head), &method, &target)
        self._ensure(self._longest(method, target) + 6 * (PyBytes_GET_SIZE(client) + of_name(listener).size
                                                           + of_name(backend).size + of_name(server).size
                                                           + min(why.size, MOST)))
        if self.form:
            self._common(record.started, client, record.status, bytes_out, method, target, minor)
            return
        for place in range(self.number):
            column = &self.columns[place]
            what = column.place
            self._raw(column.key)
            if column.header.start != NULL:
                self._quoted(column.found)
            elif what == TIME:
                self._time(record.started)
            elif what == LISTENER:
                self._quoted(of_name(listener))
            elif what == BACKEND:
                self._quoted(of_name(backend if backend else None))
            elif what == SERVER:
                self._quoted(of_name(server))
            elif what == CLIENT:
                self._quoted(of(client))
            elif what == CLIENT_PORT:
                self._integer(port, port >= 0)
            elif what == REASON:
                self._quoted(why)
            elif what == METHOD:
                self._quoted(method)
            elif what == TARGET:
                self._quoted(target)
            elif what == PROTOCOL:
                self._quoted(of((b"HTTP/1.1" if minor else b"HTTP/1.0") if head and minor >= 0 else b""))
            else:
                self._figure(what, record, route, bytes_in, bytes_out, ending)
        self._end()

    cdef Py_ssize_t _longest(self, Text method, Text target) noexcept:
        """Bytes that a line with these can have at most, without the names and the client's address."""
        cdef Py_ssize_t place
        cdef Py_ssize_t size = self.fixed + 6 * (min(method.size, MOST) + min(target.size, MOST))
        for place in range(self.headers):
            size += 6 * min(self.columns[self.header_columns[place]].found.size, MOST)
        return size

    cdef int _figure(self, int what, Record record, int64_t route, long long bytes_in, long long bytes_out,
                     int ending) except -1:
        if what == ROUTE:
            return self._integer(route, route >= 0)
        if what == STATUS:
            return self._integer(record.status, True)
        if what == BYTES_IN:
            return self._integer(bytes_in, True)
        if what == BYTES_OUT:
            return self._integer(bytes_out, True)
        if what == QUEUE:
            return self._seconds(record.started, record.chosen)
        if what == CONNECT:
            return self._seconds(record.taken, record.reached)
        if what == FIRST_BYTE:
            return self._seconds(record.started, record.headed)
        if what == UNIX:
            return self._seconds(-self.zero, record.started)
        if what == TOTAL:
            return self._seconds(record.started, record.ended)
        if what == RETRIES:
            return self._integer(record.drops, True)
        if what == ENDING:
            return self._quoted(of_name(ending_names[ending]))
        return self._integer(self.generation if what == GENERATION else self.worker, True)

    def refused(self, double started, double ended, str listener not None, bytes client not None, int status,
                bytes head not None, int minor, long long bytes_in, long long bytes_out, int ending, reason=None,
                int port=-1):
        cdef Record nothing = Record.__new__(Record)
        nothing.started, nothing.ended = min(started, ended), ended
        nothing.status = status
        self.add(nothing, listener, -1, "", None, client, head, minor, bytes_in, bytes_out, ending, reason, port)

    def take(self):
        cdef bytes data = self.buffer[:self.size] if self.size else b""
        self.size = self.count = 0
        self.full = False
        return data

    def look_at_clock(self):
        self.zero = time.time() - clock()        # both clocks drift, and one of them is set

    cdef bint _skipped(self, int status, int ending) noexcept:
        if self.sample >= 1 or status >= 500 or not well[ending]:
            return False
        self.random ^= self.random << 13          # Marsaglia, "Xorshift RNGs", 2003
        self.random ^= self.random >> 7
        self.random ^= self.random << 17
        return <double>(self.random >> 11) * (1.0 / (1 << 53)) >= self.sample

    cdef void _head(self, Text head, Text *method, Text *target) noexcept:
        """Find what the columns want of a head that was read already: it is well formed."""
        cdef const char *at = head.start
        cdef const char *end = at + head.size
        cdef const char *stop
        cdef Py_ssize_t place, size
        cdef LogColumn *column
        method.start = target.start = NULL
        target.size = method.size = 0
        for place in range(self.headers):
            self.columns[self.header_columns[place]].found.start = NULL
            self.columns[self.header_columns[place]].found.size = 0
        stop = <const char *>memchr(at, c' ', head.size)
        if stop == NULL:
            return
        method.start, method.size = at, stop - at
        at = stop + 1
        stop = <const char *>memchr(at, c' ', end - at)
        if stop == NULL:
            return
        target.start, target.size = at, stop - at
        at = <const char *>memchr(stop, c'\n', end - stop)
        while at != NULL and at + 1 < end and at[1] != c'\r':
            at += 1
            stop = <const char *>memchr(at, c'\n', end - at)
            if stop == NULL:
                return
            for place in range(self.headers if self.initials >> (at[0] & 31) & 1 else 0):       # whatever its case
                column = &self.columns[self.header_columns[place]]
                size = column.header.size
                if size < stop - at and at[size] == c':' and column.found.start == NULL \
                        and same(at, column.header.start, size):
                    self._value(&column.found, at + size + 1, stop)
            at = stop

    cdef void _value(self, Text *found, const char *start, const char *stop) noexcept:
        while start < stop and start[0] in (c' ', c'\t'):
            start += 1
        while start < stop and (stop - 1)[0] in (c' ', c'\t', c'\r'):
            stop -= 1
        found.start, found.size = start, stop - start

    cdef int _common(self, double at, bytes client, int status, long long bytes_out, Text method, Text target,
                     int minor) except -1:
        cdef Py_ssize_t place
        self._text(of(client if client else b"-"))
        self._raw(of(b" - - ["))
        self._time(at)
        self._raw(of(b"] \""))
        if method.size:
            self._text(method)
            self._raw(of(b" "))
            self._text(target)
            if minor >= 0:
                self._raw(of(b" HTTP/1.1" if minor else b" HTTP/1.0"))
        else:
            self._raw(of(b"-"))
        self._raw(of(b"\" "))
        if status:
            self._integer(status, True)
        else:
            self._raw(of(b"-"))
        self._raw(of(b" "))
        self._integer(bytes_out, True)
        for place in range(self.number):
            self._raw(of(b" \""))
            self._text(self.columns[place].found)
            self._raw(of(b"\""))
        return self._end()

    cdef int _end(self) noexcept:
        if self.form == J:
            self.buffer[self.size] = c'}'
            self.size += 1
        self.buffer[self.size] = c'\n'
        self.size += 1
        self.count += 1
        self.full = self.count >= LINES or self.size >= BYTES
        return 0

    cdef int _ensure(self, Py_ssize_t more) except -1:
        cdef char *larger
        if self.size + more > self.room:
            larger = <char *>realloc(self.buffer, 2 * self.room + more)
            if larger == NULL:
                raise MemoryError
            self.buffer, self.room = larger, 2 * self.room + more
        return 0

    cdef int _raw(self, Text text) noexcept:
        memcpy(self.buffer + self.size, text.start, text.size)
        self.size += text.size
        return 0

    cdef int _quoted(self, Text text) noexcept:
        if text.start == NULL or text.size == 0:
            return self._raw(of(b"null"))
        self.buffer[self.size] = c'"'
        self.size += 1
        self._text(text)
        self.buffer[self.size] = c'"'
        self.size += 1
        return 0

    cdef int _text(self, Text text) noexcept:
        """Anything, so that it neither ends the string nor the line; nothing is a hyphen."""
        if text.start == NULL:
            return self._raw(of(b"-"))
        self.size = escape(self.buffer + self.size, text, MOST, self.form == J) - self.buffer
        return 0

    cdef int _integer(self, int64_t value, bint there) noexcept:
        if not there:
            return self._raw(of(b"null"))
        if value < 0:
            value = 0
        self.size = digits(self.buffer + self.size, value, 1) - self.buffer
        return 0

    cdef int _seconds(self, double start, double stop) noexcept:
        cdef int64_t micros
        cdef char *out
        if stop <= 0:
            return self._raw(of(b"null"))
        micros = <int64_t>((stop - start) * 1e6 + 0.5) if stop > start else 0
        out = digits(self.buffer + self.size, micros // 1000000, 1)
        out[0] = c'.'
        self.size = digits(out + 1, micros % 1000000, 6) - self.buffer
        return 0

    cdef int _time(self, double at) noexcept:
        cdef double unix = self.zero + at
        cdef int64_t second = <int64_t>unix
        cdef time_t moment = second
        cdef tm parts
        cdef Text text
        cdef char *out
        if second != self.second:
            self.second = second
            gmtime_r(&moment, &parts)
            self.stamp_size = strftime(
                self.stamp, NUMBER, "%d/%b/%Y:%H:%M:%S +0000" if self.form else '"%Y-%m-%dT%H:%M:%S.', &parts)
        text.start, text.size = self.stamp, self.stamp_size
        self._raw(text)
        if self.form == J:
            out = digits(self.buffer + self.size, <int64_t>((unix - second) * 1000), 3)
            out[0], out[1] = c'Z', c'"'
            self.size = out + 2 - self.buffer
        return 0
