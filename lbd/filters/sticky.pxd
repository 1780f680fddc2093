# cython: language_level=3
"""C declarations of the filter of sticky cookies: what is compiled of sticky.py."""

cimport cython

from lbd.backend.backend cimport Backend
from lbd.backend.server cimport Server
from lbd.backend.sticky cimport Stickiness, stays
from lbd.exchange.choice cimport tried
from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head


cdef class StickyCookie(Filter):
    cdef bytes _cookie

    @cython.locals(sticky=Stickiness, value=bytes)
    cpdef object on_request(self, Requester exchange, Head head)
    @cython.locals(sticky=Stickiness, server=Server)
    cpdef void on_response(self, Requester exchange, Head head) except *
