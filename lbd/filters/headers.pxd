# cython: language_level=3
"""C declarations of the filter of the operator's fields: what is compiled of headers.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class Headers(Filter):
    cdef public object request, response
    cdef tuple _requests_lose, _answers_lose
    cdef bytes _requests_gain, _answers_gain

    cpdef object on_request(self, Requester exchange, Head head)
    cpdef void on_response(self, Requester exchange, Head head) except *
