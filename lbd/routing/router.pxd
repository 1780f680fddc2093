# cython: language_level=3
"""C declarations of a router: what is compiled of router.py."""

cimport cython

from lbd.http.message cimport Head
from lbd.routing.target cimport RouteTarget


cdef class RequestMatcher:
    cdef public RouteTarget target
    cdef public bytes path, prefix, below
    cdef public object pattern
    cdef public frozenset methods
    cdef public tuple header

    cpdef bint matches(self, bytes path, Head request) except *
    cpdef bint covers(self, bytes path) except *


cdef class Choices:
    cdef public tuple guard, matchers


cdef class Router:
    cdef public RouteTarget default
    cdef public tuple given, routes
    cdef public dict remembered
    cdef dict _indexes, _choices
    cdef Py_ssize_t _longest

    @cython.locals(choices=Choices, item=RequestMatcher, path=bytes)
    cpdef RouteTarget route(self, Head request)
    cpdef Choices _remember(self, bytes host)


@cython.locals(values=list)
cpdef bint has_field(Head request, bytes name, bytes wanted) except *
