# cython: language_level=3
"""C declarations of the lines of spans: what is compiled of span_lines.py."""

cimport cython

from lbd.access_log.writer cimport AccessLogWriter
from lbd.exchange.streams cimport Requester
from lbd.http.message cimport Head
from lbd.http.trace_context cimport sampled


cdef class SpanWriter(AccessLogWriter):
    @cython.locals(request=Head, span=bytes)
    cpdef void note(self, Requester exchange, int ending) except *
