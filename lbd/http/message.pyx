# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The head of a message: its text as HTTP/1 has it, with an index of the lines for those who read or change fields."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint32_t

from lbd.http.grammar cimport FOLD, LOWER, fill_kinds
from lbd.http.lines cimport Line, next_field, next_line, put, same_name, value_of
from lbd.http.memory cimport copied, rest

cdef enum:
    FEW = 24                # lines that an index has room for at first


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
        return self.compose() if self.changed else self._text

    @property
    def original(self):
        return self._text if self.changed and not self.before else self.before

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
        self._target = target
        self.plain = False
        self.start = self.method + b" " + target + b" HTTP/1.1\r\n"
        self.changed = True

    def get(self, bytes name not None):
        cdef list found = self.values(name)
        return found[0] if found else None

    def values(self, bytes name not None):
        cdef list found = []
        cdef const uint8_t* p
        cdef const uint8_t* value
        cdef const uint8_t* wanted = <const uint8_t*>PyBytes_AS_STRING(name)
        cdef uint32_t size = PyBytes_GET_SIZE(name)
        cdef Line* line
        cdef size_t n
        cdef int i
        if self.line is NULL:
            self.index()
        p = <const uint8_t*>PyBytes_AS_STRING(self._text)
        for i in range(self.count):
            line = &self.line[i]
            if not line.drop and line.colon - line.start == size and same_name(p + line.start, wanted, size, &LOWER[0]):
                value = value_of(p, line, &n)
                found.append(copied(value, n))
        if self.added is not None:
            for more in self.added:
                found += added_values(more, name)
        return found

    def remove(self, bytes name not None, bint fold=False):
        self.index()
        self.drop(name, fold)

    def set(self, bytes name not None, bytes value not None):
        self.index()
        self.drop(name.lower(), False)
        self.add(name, value)

    def add(self, bytes name not None, bytes value not None):
        if not name or b"\r" in value or b"\n" in value or b":" in name or b"\n" in name:
            raise ValueError("a field is one line")
        self.change((), b"%b: %b\r\n" % (name, value))

    def change(self, tuple removed not None, bytes lines not None, bint fold=False):
        cdef bytes name
        self.index()
        for name in removed:
            self.drop(name, fold)
        if lines:
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
        cdef Line* more
        cdef Line line
        if self.line is not NULL:
            return 0
        p = rest(self._text, 0, &size)
        i = next_line(p, size, 0)
        self.room = FEW
        self.line = <Line*>PyMem_Realloc(NULL, FEW * sizeof(Line))
        if self.line is NULL:
            raise MemoryError
        self.count = 0
        while i and next_field(p, size, &i, &line):
            if self.count == self.room:
                more = <Line*>PyMem_Realloc(self.line, 2 * self.room * sizeof(Line))
                if more is NULL:
                    raise MemoryError
                self.line, self.room = more, 2 * self.room
            line.drop = 0
            self.line[self.count] = line
            self.count += 1
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

    cdef int drop(self, bytes name, bint fold) except -1:
        """Leave out the lines of that name."""
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(self._text)
        cdef const uint8_t* by = &FOLD[0] if fold else &LOWER[0]
        cdef const uint8_t* wanted = <const uint8_t*>PyBytes_AS_STRING(name)
        cdef uint32_t size = PyBytes_GET_SIZE(name)
        cdef Line* line
        cdef int i
        if self.added is not None and among(self.added, wanted, size, by):
            self.compose()
            self.index()
            p = <const uint8_t*>PyBytes_AS_STRING(self._text)
        for i in range(self.count):
            line = &self.line[i]
            if not line.drop and line.colon - line.start == size and same_name(p + line.start, wanted, size, by):
                line.drop = 1
                self.changed = True
        return 0

    cdef bytes compose(self):
        """The text with all changes, which stays."""
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


cdef list added_values(bytes lines, bytes name):
    """The values of a field in lines that were added."""
    cdef list found = []
    for line in lines.split(b"\r\n"):
        given, _, value = line.partition(b":")
        if given.lower() == name:
            found.append(value.strip(b" \t"))
    return found


cdef int begin(Head head, bytes text, Py_ssize_t size) except -1:
    """Set the text of a new head, and all that is not nothing at first."""
    head._text, head.size = text, size
    head.method = head.host = head._target = head.before = head.trailers = b""
    head.hops = -1
    head.minor = 1
    return 0


fill_kinds()
