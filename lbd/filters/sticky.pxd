# cython: language_level=3
"""C declarations of the filter of sticky cookies: what is compiled of sticky.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class StickyCookie(Filter):
    cdef bytes _cookie

    cpdef object on_request(self, Requester exchange, Head head)
    cpdef void on_response(self, Requester exchange, Head head) except *
