# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The head of a message: its text as HTTP/1 has it, with an index of the lines for those who read or change fields."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp

from lbd.http.cookies cimport cookie_in, others
from lbd.http.grammar cimport FOLD, LOWER, fill_kinds
from lbd.http.lines cimport Line, next_field, next_line, put, same_name, value_of
from lbd.http.memory cimport copied, joined, rest

cdef enum:
    FEW = 24                # lines that an index has room for at first


cdef tuple COOKIE = (b"cookie",)

# RFC 9110 9.2.2: repeating these has the same effect as doing them once.
cdef tuple IDEMPOTENT = (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE")


@cython.final
@cython.freelist(64)
cdef class Head:
    def __init__(self, bytes text not None=b""):
        cdef list words = text.partition(b"\r\n")[0].split(b" ", 2)
        cdef Py_ssize_t end = text.find(b"\r\n\r\n")
        if end < 0 or len(words) < 2:
            raise ValueError("not a head: it does not end in an empty line")
        begin(self, text, end + 4)
        if text.startswith(b"HTTP/"):
            self.status = int(words[1])
        else:
            self.method, self._target = words[0], words[1]
            self.host = self.get(b"host") or b""
            self.to_head = self.method == b"HEAD"
            self.idempotent = self.method in IDEMPOTENT

    def __dealloc__(self):
        PyMem_Free(self.line)

    @property
    def text(self):
        return self.compose()

    @property
    def original(self):
        return self._text if self.changed and not self.before else self.before

    cpdef bytes received(self):
        return self.before if PyBytes_GET_SIZE(self.before) else self._text

    @property
    def target(self):
        return self._target

    @target.setter
    def target(self, bytes target not None):
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(target)
        cdef Py_ssize_t i, n = PyBytes_GET_SIZE(target)
        for i in range(n):
            if p[i] <= 32:
                n = 0
                break
        if not n:
            raise ValueError("a request target is not empty, and has no white space")
        self.aim(target)

    cpdef bytes path(self):
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(self._target)
        cdef const uint8_t* mark = <const uint8_t*>memchr(p, 63, PyBytes_GET_SIZE(self._target))
        return self._target if mark is NULL else copied(p, mark - p)

    cpdef bint strip(self, bytes prefix) except -1:
        if prefix is None:
            raise TypeError("bytes are needed")
        cdef bytes target = self._target
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(target)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(prefix), n = PyBytes_GET_SIZE(target)
        if not self.plain or n < size or memcmp(p, PyBytes_AS_STRING(prefix), size):
            return False
        if n > size and p[size] == 47:
            self.aim(copied(p + size, n - size))
        elif n == size or p[size] == 63:
            self.aim(joined(<const uint8_t*>"/", 1, p + size, n - size))
        else:
            return False
        return True

    cdef int aim(self, bytes target) except -1:
        """Take another target, which is good."""
        cdef bytes method = self.method
        cdef Py_ssize_t size = PyBytes_GET_SIZE(method), n = PyBytes_GET_SIZE(target)
        cdef bytes start = PyBytes_FromStringAndSize(NULL, size + n + 12)
        cdef uint8_t* to = put(<uint8_t*>PyBytes_AS_STRING(start), PyBytes_AS_STRING(method), size)
        to = put(to, b" ", 1)
        to = put(to, PyBytes_AS_STRING(target), n)
        put(to, b" HTTP/1.1\r\n", 11)
        self._target, self.start = target, start
        self.plain = False
        self.changed = True
        return 0

    def get(self, bytes name not None):
        cdef list found = self.values(name)
        return found[0] if found else None

    cpdef list values(self, bytes name):
        if name is None:
            raise TypeError("bytes are needed")
        cdef list found = []
        cdef const uint8_t* value
        cdef Line* line
        cdef size_t n
        cdef int i
        self.locate((name,), &LOWER[0])
        for i in range(self.count):
            line = &self.line[i]
            if named(self._text, line, name, &LOWER[0]):
                value = value_of(<const uint8_t*>PyBytes_AS_STRING(self._text), line, &n)
                found.append(copied(value, n))
        return found

    cpdef bytes last(self, bytes name):
        if name is None:
            raise TypeError("bytes are needed")
        cdef bytes text = self.compose()
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(text)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(name), start
        cdef Py_ssize_t stop = min(self.size, PyBytes_GET_SIZE(text)) - 2
        cdef const uint8_t* value
        cdef Line line
        cdef size_t n
        while stop > 1:
            start = stop - 1
            while start > 0 and p[start - 1] != 10:
                start -= 1
            if start and start + size + 3 <= stop and p[start + size] == 58 and p[stop - 2] == 13 and same_name(
                    p + start, <const uint8_t*>PyBytes_AS_STRING(name), size, &LOWER[0]):
                line.start, line.colon, line.next = start, start + size, stop
                value = value_of(p, &line, &n)
                return copied(value, n)
            stop = start
        return None

    cpdef bytes cookie(self, bytes name):
        if name is None:
            raise TypeError("bytes are needed")
        cdef const uint8_t* value
        cdef size_t n
        cdef int i
        self.locate(COOKIE, &LOWER[0])
        for i in range(self.count):
            if named(self._text, &self.line[i], <bytes>COOKIE[0], &LOWER[0]):
                value = value_of(<const uint8_t*>PyBytes_AS_STRING(self._text), &self.line[i], &n)
                value = cookie_in(value, n, <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), &n)
                if value is not NULL:
                    return copied(value, n)
        return None

    cpdef void remove_cookie(self, bytes name) except *:
        if name is None:
            raise TypeError("bytes are needed")
        cdef size_t size
        cdef bytes lines = b""
        self.locate(COOKIE, &LOWER[0])
        size = self.put_cookies(name, NULL)
        if size:
            lines = PyBytes_FromStringAndSize(NULL, size + 8)
            put(<uint8_t*>PyBytes_AS_STRING(lines), b"Cookie: ", 8)
            self.put_cookies(name, <uint8_t*>PyBytes_AS_STRING(lines) + 8)
            put(<uint8_t*>PyBytes_AS_STRING(lines) + size + 6, b"\r\n", 2)      # in the place of the last semicolon
        self.change(COOKIE, lines)

    cdef size_t put_cookies(self, bytes name, uint8_t* to) noexcept:
        """Write all cookies but those of that name, unless `to` is NULL; returns how many bytes that is."""
        cdef const uint8_t* value
        cdef size_t n, total = 0
        cdef int i
        for i in range(self.count):
            if named(self._text, &self.line[i], <bytes>COOKIE[0], &LOWER[0]):
                value = value_of(<const uint8_t*>PyBytes_AS_STRING(self._text), &self.line[i], &n)
                total += others(value, n, <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name),
                                to if to is NULL else to + total)
        return total

    def remove(self, bytes name not None, bint fold=False):
        self.drop((name,), fold)

    def set(self, bytes name not None, bytes value not None):
        self.drop((name.lower(),), False)
        self.add(name, value)

    def add(self, bytes name not None, bytes value not None):
        if not name or b"\r" in value or b"\n" in value or b":" in name or b"\n" in name:
            raise ValueError("a field is one line")
        self.change((), b"%b: %b\r\n" % (name, value))

    cpdef void change(self, tuple removed, bytes lines, bint fold=False) except *:
        if removed is None or lines is None:
            raise TypeError("names and lines are needed")
        self.drop(removed, fold)
        if PyBytes_GET_SIZE(lines):
            self.changed = True
            if self.added is None:
                self.added = [lines]
            else:
                self.added.append(lines)

    def join(self, bytes body not None):
        self._text = self.text[:self.size] + body

    def settle(self):
        self.compose()
        self.before = b""

    def __iter__(self):
        cdef const uint8_t* p
        cdef const uint8_t* value
        cdef size_t n, size, i
        cdef Line line
        cdef bytes text = self.text
        cdef list found = []
        p = rest(text, 0, &size)
        i = next_line(p, size, 0)
        while i and next_field(p, size, &i, &line):
            value = value_of(p, &line, &n)
            found.append((copied(p + line.start, line.colon - line.start), copied(value, n)))
        return iter(found)

    cdef int index(self) except -1:
        """Find the lines, once."""
        cdef size_t size, i
        cdef const uint8_t* p
        cdef Line* lines
        cdef int count = 0, room = FEW
        if self.line is not NULL:
            return 0
        p = rest(self._text, 0, &size)
        i = next_line(p, size, 0)
        lines = <Line*>PyMem_Realloc(NULL, FEW * sizeof(Line))
        if lines is NULL:
            raise MemoryError
        self.line = lines
        while i and next_field(p, size, &i, &lines[count]):
            lines[count].drop = 0
            count += 1
            if count == room:
                room *= 2
                lines = <Line*>PyMem_Realloc(self.line, room * sizeof(Line))
                if lines is NULL:
                    self.forget()
                    raise MemoryError
                self.line = lines
        self.count = count
        if i == 0 or i + 2 > size or p[i] != 13 or p[i + 1] != 10:
            self.forget()
            raise ValueError("not a head: it does not end in an empty line")
        self.size = i + 2
        return 0

    cdef int forget(self) noexcept:
        PyMem_Free(self.line)
        self.line = NULL
        self.count = 0
        return 0

    cdef int locate(self, tuple names, const uint8_t* by) except -1:
        """Have the lines of these names in the index, be they added ones."""
        cdef bytes name
        self.index()
        if self.added is not None:
            for name in names:
                if among(self.added, <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), by):
                    self.compose()
                    self.index()
                    break
        return 0

    cdef int drop(self, tuple names, bint fold) except -1:
        """Leave out the lines of these names."""
        cdef const uint8_t* by = &FOLD[0] if fold else &LOWER[0]
        cdef bytes name
        cdef uint64_t sizes = 0         # of the names, a bit each: most lines need no closer look
        cdef Line* line
        cdef int i
        self.locate(names, by)
        for name in names:
            sizes |= <uint64_t>1 << (PyBytes_GET_SIZE(name) & 63)
        for i in range(self.count if sizes else 0):
            line = &self.line[i]
            if sizes >> ((line.colon - line.start) & 63) & 1:
                for name in names:
                    if named(self._text, line, name, by):
                        line.drop = 1
                        self.changed = True
                        break
        return 0

    cpdef bytes compose(self):
        if not self.changed:
            return self._text
        cdef bytes before = self._text, lines, text
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(before)
        cdef uint8_t* to
        cdef Py_ssize_t more = 0, kept = PyBytes_GET_SIZE(before)
        cdef size_t run = 0
        cdef int i
        if self.start is not None:
            run = next_line(p, kept, 0)
            more += PyBytes_GET_SIZE(self.start) - <Py_ssize_t>run
        for i in range(self.count):
            if self.line[i].drop:
                more -= <Py_ssize_t>(self.line[i].next - self.line[i].start)
        if self.added is not None:
            for lines in self.added:
                more += PyBytes_GET_SIZE(lines)
        text = PyBytes_FromStringAndSize(NULL, kept + more)
        to = <uint8_t*>PyBytes_AS_STRING(text)
        if self.start is not None:
            to = put(to, PyBytes_AS_STRING(self.start), PyBytes_GET_SIZE(self.start))
        for i in range(self.count):
            if self.line[i].drop:
                to = put(to, p + run, self.line[i].start - run)
                run = self.line[i].next
        to = put(to, p + run, self.size - 2 - run)
        if self.added is not None:
            for lines in self.added:
                to = put(to, PyBytes_AS_STRING(lines), PyBytes_GET_SIZE(lines))
        put(to, p + self.size - 2, kept - self.size + 2)
        if not self.before:
            self.before = before
        self._text, self.size = text, self.size + more
        self.start = self.added = None
        self.changed = False
        self.forget()
        return text


cdef inline bint named(bytes text, const Line* line, bytes name, const uint8_t* by) noexcept:
    """Whether a line of the index passes and has that name."""
    cdef uint32_t size = PyBytes_GET_SIZE(name)
    return line.colon - line.start == size and not line.drop and same_name(
        <const uint8_t*>PyBytes_AS_STRING(text) + line.start, <const uint8_t*>PyBytes_AS_STRING(name), size, by)


cdef bint among(list added, const uint8_t* wanted, uint32_t size, const uint8_t* by) except -1:
    """Whether some of the added lines have that name."""
    cdef bytes lines
    cdef const uint8_t* p
    cdef Py_ssize_t i, start, n
    for lines in added:
        p = <const uint8_t*>PyBytes_AS_STRING(lines)
        n = PyBytes_GET_SIZE(lines)
        start = 0
        while start < n:
            i = start
            while i < n and p[i] != 58 and p[i] != 10:
                i += 1
            if i - start == <Py_ssize_t>size and same_name(p + start, wanted, size, by):
                return True
            while i < n and p[i] != 10:
                i += 1
            start = i + 1
    return False


cdef int begin(Head head, bytes text, Py_ssize_t size) except -1:
    """Set the text of a new head, and all that is not nothing at first."""
    head._text, head.size = text, size
    head.method = head.host = head._target = head.before = head.trailers = b""
    head.hops = -1
    head.minor = 1
    return 0


def cookie_value(bytes line not None, bytes name not None):
    cdef size_t n = PyBytes_GET_SIZE(line)
    cdef const uint8_t* value = cookie_in(<const uint8_t*>PyBytes_AS_STRING(line), n,
                                          <const uint8_t*>PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), &n)
    return None if value is NULL else copied(value, n)


fill_kinds()
