# cython: language_level=3
"""C declarations of the filter of Strict-Transport-Security: what is compiled of hsts.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class Hsts(Filter):
    cdef bytes _line
    cdef bint _own

    cpdef void on_response(self, Requester exchange, Head head) except *
