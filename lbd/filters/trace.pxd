# cython: language_level=3
"""C declarations of the filter that puts requests into traces: what is compiled of trace.py."""

from lbd.exchange.filter cimport Filter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head
from lbd.http.trace_context cimport TraceContext


cdef class Trace(Filter):
    cdef double _sample
    cdef TraceContext _trace

    cpdef object on_request(self, Requester exchange, Head head)
