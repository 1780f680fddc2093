# cython: language_level=3
"""C declarations of an exchange: what is compiled of exchange.py."""

cimport cython

from lbd.backend.backend cimport Backend
from lbd.backend.server cimport Server
from lbd.exchange.choice cimport bind_source, select
from lbd.exchange.context cimport FilterChain, WorkerContext
from lbd.exchange.streams cimport Downstream, Peer, Requester, ServerConnection
from lbd.http.message cimport Head
from lbd.routing.target cimport RouteTarget
from lbd.stats.scoreboard cimport Record, new_record

cdef int CONNECT, ENDED, HELD, NEW, QUEUED, RELAY, SEND, TUNNEL, WAIT
cdef Py_ssize_t PIECES, HIGH
cdef int BODY, OK
cdef tuple NO_PUMPS


@cython.final
cdef class Exchange(Requester):
    cdef public WorkerContext context
    cdef public Downstream downstream
    cdef public Backend backend
    cdef public object upstream
    cdef public FilterChain filters
    cdef public tuple pumps
    cdef public int held, pieces
    cdef public double until
    cdef public bint congested, half_closed

    cpdef void move(self, int state, double seconds) except *
    cpdef void begin(self, Head head, RouteTarget route, int fault=*) except *
    cpdef FilterChain chain(self)
    cpdef void admit(self, int start) except *
    @cython.locals(connection=ServerConnection, backend=Backend, peer=Peer)
    cpdef void dispatch(self, Server server) except *
    cpdef void proceed(self) except *
    cpdef void hear(self) except *
    cpdef bint halve(self) except *
    cpdef void client_data(self, bytes data, bint end) except *
    cpdef void store(self, bytes data) except *
    cpdef void client_full(self, bint full) except *
    cpdef void cut(self, int ending) except *
    cpdef void settle(self, int ending) except *
