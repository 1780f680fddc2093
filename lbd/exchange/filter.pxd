# cython: language_level=3
"""C declarations of the interface of filters: what is compiled of filter.py. Kinds that are compiled too are called
without the interpreter; an operator's class is ordinary Python."""

from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class Filter:
    cdef public object options, context

    cpdef object on_request(self, Requester exchange, Head head)
    cpdef object on_request_data(self, Requester exchange, bytes data, bint end)
    cpdef void on_response(self, Requester exchange, Head head) except *
    cpdef object on_response_data(self, Requester exchange, bytes data, bint end)
    cpdef void on_end(self, Requester exchange, int ending) except *
