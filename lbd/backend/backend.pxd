# cython: language_level=3
"""C declarations of a backend: what is compiled of backend.py."""

from lbd.backend.sticky cimport Stickiness
from lbd.stats.scoreboard cimport Row


cdef class Backend:
    cdef public str name
    cdef public Row row
    cdef public dict servers
    cdef public object slow_start, pool, pick, direct, settings, responses, gate, sticky_source, took, dropped
    cdef public Stickiness sticky
    cdef public double server_timeout
