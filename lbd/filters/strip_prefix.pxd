# cython: language_level=3
"""C declarations of the filter that takes a prefix off: what is compiled of strip_prefix.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class StripPrefix(Filter):
    cdef bytes _prefix
    cdef Py_ssize_t _size

    cpdef object on_request(self, Requester exchange, Head head)
