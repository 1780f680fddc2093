"""Heads of servers that bend the rules (RFC 9112 sections 2.2 and 5.1), rewritten so that a strict reader takes them."""

from libc.stdint cimport uint8_t
from libc.string cimport memchr

from lbd.http.grammar cimport KIND, TOKEN
from lbd.http.lines cimport BAD_LINE_END, BAD_NAME, BAD_VALUE, controls, put, put_text
from lbd.http.response cimport CONTROLS, LINE_FEEDS, NAME_SPACES


cdef inline bint clean(const uint8_t* p, size_t n, int lenient) noexcept nogil:
    """Whether a line has no CR and no NUL in it, and no other control characters unless they are allowed."""
    return not n or (memchr(p, 13, n) is NULL and memchr(p, 0, n) is NULL
                     and (lenient & CONTROLS or not controls(p, n)))


cdef inline int tidy_line(const uint8_t* p, size_t n, int lenient, uint8_t** to) noexcept nogil:
    """Write a field line without white space after its name, and not at all with some within it; 0 or a Fault."""
    cdef const uint8_t* colon = <const uint8_t*>memchr(p, 58, n)
    cdef size_t size, i
    cdef bint parted = False
    if colon is NULL or colon == p or not KIND[p[0]] & TOKEN:
        return BAD_NAME
    size = colon - p
    while lenient & NAME_SPACES and (p[size - 1] == 32 or p[size - 1] == 9):
        size -= 1
    for i in range(size):
        if lenient & NAME_SPACES and (p[i] == 32 or p[i] == 9):
            parted = True
        elif not KIND[p[i]] & TOKEN:
            return BAD_NAME
    if not parted:
        to[0] = put_text(put(put(to[0], p, size), colon, p + n - colon), "\r\n")
    return 0


cdef inline Py_ssize_t tidied(const uint8_t* p, size_t size, int lenient, uint8_t** to) noexcept nogil:
    """Write the head that begins at `p` as it should be, at most twice as long: the offset after it, 0 when it is
    incomplete, or a Fault."""
    cdef const uint8_t* end
    cdef size_t i = 0
    cdef size_t n
    cdef int fault
    while True:
        end = <const uint8_t*>memchr(p + i, 10, size - i) if i < size else NULL
        if end is NULL:
            return 0
        n = end - (p + i)
        if n and p[i + n - 1] == 13:
            n -= 1
        elif not lenient & LINE_FEEDS:
            return BAD_LINE_END
        if not clean(p + i, n, lenient):
            return BAD_VALUE
        if n == 0:
            to[0] = put_text(to[0], "\r\n")
            return end - p + 1
        if i == 0:
            to[0] = put_text(put(to[0], p, n), "\r\n")
        else:
            fault = tidy_line(p + i, n, lenient, to)
            if fault < 0:
                return fault
        i = end - p + 1
