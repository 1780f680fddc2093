# cython: language_level=3
"""C declarations of a server: what is compiled of server.py."""

from lbd.backend.backoff cimport FailureBackoff
from lbd.stats.scoreboard cimport Row


cdef class Server:
    cdef public object endpoint, connections, health
    cdef public str name
    cdef public FailureBackoff backoff
    cdef public Row row
    cdef public dict idle
    cdef public bint gone, serves
    cdef public long long max_idle, max_turns, max_conns, weight
    cdef public double cut, effective

    cpdef bint keeps_clients(self) except *
