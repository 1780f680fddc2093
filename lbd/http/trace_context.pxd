# cython: language_level=3
"""C declarations of trace contexts, for the compiled modules that follow or note traces."""

from lbd.http.message cimport Head


cdef class TraceContext:
    cdef double share

    cpdef void follow(self, Head request) except *


cpdef bytes sampled(Head request)
