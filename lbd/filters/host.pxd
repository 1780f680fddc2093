# cython: language_level=3
"""C declarations of the filter of Host: what is compiled of host.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class Host(Filter):
    cdef bytes _line

    cpdef object on_request(self, Requester exchange, Head head)
