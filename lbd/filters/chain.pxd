# cython: language_level=3
"""C declarations of the chain of filters: what is compiled of chain.py."""

cimport cython

from lbd.exchange.context cimport FilterChain
from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head
from lbd.stats.scoreboard cimport Row


cdef class Chain(FilterChain):
    cdef public tuple filters
    cdef Row _process
    cdef tuple _entered, _asked, _heard, _own, _senders, _receivers, _parts, _ends
    cdef double _quiet_until

    @cython.locals(it=Filter)
    cpdef bint admit(self, Requester exchange, int start) except *
    @cython.locals(it=Filter)
    cpdef bytes respond(self, Requester exchange, Head head, bytes data, bint end)
    @cython.locals(it=Filter)
    cpdef void answer(self, Requester exchange, Head head) except *
    cpdef bytes send(self, Requester exchange, bytes data, bint end)
    cpdef bytes receive(self, Requester exchange, bytes data, bint end)
    @cython.locals(it=Filter)
    cpdef void end(self, Requester exchange, int ending) except *
