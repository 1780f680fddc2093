# cython: language_level=3
"""C declarations of a worker's surroundings: what is compiled of context.py."""

from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head
from lbd.stats.scoreboard cimport Row


cdef class FilterChain:
    cdef public bint sends, receives, entrance
    cdef public object asking

    cpdef object asker(self, int number)
    cpdef bint admit(self, Requester exchange, int start) except *
    cpdef bytes respond(self, Requester exchange, Head head, bytes data, bint end)
    cpdef void answer(self, Requester exchange, Head head) except *
    cpdef bytes send(self, Requester exchange, bytes data, bint end)
    cpdef bytes receive(self, Requester exchange, bytes data, bint end)
    cpdef void end(self, Requester exchange, int ending) except *


cdef class WorkerContext:
    cdef public object loop, board, clock, wakeups, error_bodies, access, explanations, connector, resets
    cdef public set streams
    cdef public dict chains
    cdef public int lane
    cdef public long long generation
    cdef public double now
    cdef public Row process

    cpdef void count(self, int ending) except *
    cpdef double in_flight(self, object backend) except *
    cpdef void blame(self, Requester exchange, int ending, str reason) except *
