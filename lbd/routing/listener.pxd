# cython: language_level=3
"""C declarations of a listener and its settings: what is compiled of listener.py."""

from lbd.http.head cimport Request
from lbd.stats.scoreboard cimport Row


cdef class ListenerSettings:
    cdef public Request request
    cdef public object underscores, router, route, tcp, bounds, max_body, timeouts, tls, peers
    cdef public bytes proto
    cdef public bint proxy_protocol, logged, open
    cdef public double client_idle


cdef class Listener:
    cdef public str name
    cdef public Row row
    cdef public list acceptors
    cdef public object rejections, limits
    cdef public ListenerSettings settings
    cdef public double client_header
    cdef public bint leaving
