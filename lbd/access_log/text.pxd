# cython: language_level=3
"""Pieces of text in C, as the lines of the access log are made of them."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint64_t

cdef struct Text:
    const char *start           # NULL: there is none
    Py_ssize_t size


cdef inline Text of(bytes data) noexcept:
    cdef Text text
    text.start, text.size = PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
    return text

cdef inline Text of_name(str name) noexcept:
    cdef Text text
    text.start = NULL
    text.size = 0
    if name is not None:
        text.start = PyUnicode_AsUTF8AndSize(name, &text.size)
    return text

cdef inline bint same(const char *name, const char *wanted, Py_ssize_t size) noexcept:
    """Equal, whatever the case of `name`."""
    cdef Py_ssize_t at
    for at in range(size):
        if (name[at] | 32 if 65 <= name[at] <= 90 else name[at]) != wanted[at]:
            return False
    return True


cdef inline char *digits(char *out, int64_t value, int least) noexcept:
    """Write a number that is not negative, of at least so many digits; returns where it ends."""
    cdef char *end
    cdef uint64_t left = value, bound = 10
    cdef int size = 1
    while size < least or (left >= bound and size < 19):        # 10 to the power of 19 is beyond an int64_t
        bound *= 10
        size += 1
    end = out + size
    out = end
    while size:
        size -= 1
        out -= 1
        out[0] = 48 + left % 10
        left //= 10
    return end
