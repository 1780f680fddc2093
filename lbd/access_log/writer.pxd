# cython: language_level=3
"""C declarations of the access log of a worker: what is compiled of writer.py."""

cimport cython

from lbd.access_log.line cimport LineFormatter
from lbd.backend.server cimport Server
from lbd.exchange.streams cimport Peer, Requester
from lbd.http.message cimport Head
from lbd.routing.target cimport RouteTarget
from lbd.stats.scoreboard cimport Row


cdef class AccessLogWriter:
    cdef public Row _process
    cdef public LineFormatter _lines
    cdef int _fd
    cdef bint _tls, _port
    cdef tuple _fault
    cdef bytes _rest

    @cython.locals(request=Head)
    cpdef void note(self, Requester exchange, int ending) except *
    @cython.locals(lines=LineFormatter, peer=Peer, route=RouteTarget, server=Server, request=Head, reason=str,
                   fault=tuple, source=bytes)
    cpdef void _add(self, Requester exchange, bytes payload, int ending) except *
