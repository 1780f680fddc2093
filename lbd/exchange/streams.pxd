# cython: language_level=3
"""C declarations of the streams of an exchange: what is compiled of streams.py."""

cimport cython

from lbd.backend.server cimport Server
from lbd.http.message cimport Head
from lbd.routing.listener cimport Listener
from lbd.routing.target cimport RouteTarget
from lbd.stats.scoreboard cimport Record


@cython.freelist(64)
cdef class Peer:
    cdef public Listener listener
    cdef public object transport, connection, introduced, pins
    cdef public bytes address
    cdef public bint counted, trusted


cdef class Requester:
    cdef public Peer peer
    cdef public Record record
    cdef public RouteTarget route
    cdef public Server server, preferred
    cdef public object retries, notes
    cdef public Head request
    cdef public bytes body
    cdef public int state
    cdef public long long bytes_in, bytes_out
    cdef public bint keep, sent, replay

    cpdef void hold(self, int number, double seconds) except *
    cpdef void respond(self, int status, bytes answer, int ending) except *
    cpdef void opened(self, object upstream, bint fresh) except *
    cpdef void take(self, Server server) except *
    cpdef void connect(self, Server server) except *
    cpdef void drop_server(self, bint blamed) except *
    cpdef void refuse(self, int status, int ending) except *
    cpdef void broken(self, int ending) except *
    cpdef void responded(self, Head head, bytes data, bint end) except *
    cpdef void received(self, bytes data, bint end, bytes trailers) except *
    cpdef void switched(self, Head head, bytes data) except *
    cpdef void finish(self, int ending) except *
    cpdef void upstream_full(self, bint full) except *


cdef class ServerConnection:
    cdef public Server server
    cdef public int free
    cdef public long long uses
    cdef public double since
    cdef public Peer owner
    cdef public str name

    cpdef object open(self, Requester exchange)
    cpdef void close(self) except *


cdef class Downstream:
    cdef public Peer peer
    cdef public double deadline
    cdef public Py_ssize_t unsent

    cpdef void respond(self, Head head, bytes data, bint end) except *
    cpdef void send(self, bytes data, bint end, bytes trailers) except *
    cpdef void pause(self) except *
    cpdef void resume(self) except *
    cpdef void reset(self, int ending) except *
    cpdef void ended(self, bint whole) except *
    cpdef bint left(self) except *
