"""Bytes objects as pointers and back."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Realloc
from libc.stdint cimport uint8_t
from libc.string cimport memcmp, memcpy


cdef inline uint8_t* fitting(uint8_t* old, size_t* room, size_t need) except NULL:
    """`old`, or more memory when `need` bytes do not fit its `room`."""
    cdef uint8_t* new
    if need <= room[0]:
        return old
    new = <uint8_t*>PyMem_Realloc(old, need)
    if new is NULL:
        raise MemoryError
    room[0] = need
    return new


cdef inline const uint8_t* rest(bytes data, Py_ssize_t start, size_t* size) except NULL:
    """The bytes of `data` from `start` on."""
    if not 0 <= start <= PyBytes_GET_SIZE(data):
        raise IndexError("start is outside data")
    size[0] = PyBytes_GET_SIZE(data) - start
    return <const uint8_t*>PyBytes_AS_STRING(data) + start


cdef inline bytes copied(const uint8_t* p, size_t n):
    return PyBytes_FromStringAndSize(<const char*>p, n)


cdef inline bytes joined(const uint8_t* p, size_t n, const uint8_t* q, size_t m):
    """A bytes object of two pieces."""
    cdef bytes both = PyBytes_FromStringAndSize(NULL, n + m)
    memcpy(PyBytes_AS_STRING(both), p, n)
    memcpy(PyBytes_AS_STRING(both) + n, q, m)
    return both


cdef inline bytes same(bytes old, const uint8_t* p, size_t n):
    """`old` when it is these bytes: the requests of one client mostly repeat method and host."""
    if <size_t>PyBytes_GET_SIZE(old) == n and memcmp(PyBytes_AS_STRING(old), p, n) == 0:
        return old
    return copied(p, n)
