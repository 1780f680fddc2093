# cython: language_level=3
"""C declarations of a route's target: what is compiled of target.py."""

from lbd.backend.backend cimport Backend
from lbd.stats.scoreboard cimport Row


cdef class RouteTarget:
    cdef public Row row
    cdef public Backend backend
    cdef public object answers, onward
    cdef public int index
    cdef public bint logged, plain, named
    cdef public tuple removed, response_removed
