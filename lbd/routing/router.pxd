# cython: language_level=3
"""C declarations of a router: what is compiled of router.py."""

cimport cython

from lbd.http.message cimport Head
from lbd.routing.target cimport RouteTarget


cdef class Router:
    cdef public RouteTarget default
    cdef public tuple given, routes
    cdef public dict remembered
    cdef dict _indexes, _choices
    cdef Py_ssize_t _longest

    @cython.locals(uri=bytes, matchers=tuple)
    cpdef RouteTarget route(self, Head request)
    cpdef object _remember(self, bytes host)
