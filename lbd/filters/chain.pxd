# cython: language_level=3
"""C declarations of the chain of filters: what is compiled of chain.py."""

cimport cython

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head
from lbd.stats.scoreboard cimport Row


cdef class Chain:
    cdef public tuple filters
    cdef public Row _process
    cdef public tuple _entered, _asked, _heard, _own, _senders, _receivers, _parts, _ends
    cdef public bint sends, receives
    cdef public double _quiet_until

    @cython.locals(it=Filter)
    cpdef bint admit(self, Requester exchange, int start) except *
    @cython.locals(it=Filter)
    cpdef object respond(self, Requester exchange, Head head, object data, bint end)
    cpdef object send(self, Requester exchange, object data, bint end)
    cpdef object receive(self, Requester exchange, object data, bint end)
    @cython.locals(it=Filter)
    cpdef void end(self, Requester exchange, int ending) except *
