# cython: language_level=3
"""C declarations of a client's HTTP/1 connection: what is compiled of http1.py."""

cimport cython

from lbd.downstream.admission cimport ClientAdmission
from lbd.exchange.context cimport WorkerContext
from lbd.exchange.exchange cimport Exchange
from lbd.exchange.streams cimport Downstream, Peer
from lbd.http.head cimport Request
from lbd.http.message cimport Head
from lbd.net.stream cimport Sock
from lbd.routing.listener cimport Listener, ListenerSettings
from lbd.routing.target cimport RouteTarget

cdef int IDLE, READING, BUSY, FULL, LINGER, CLOSED, TUNNEL
cdef Py_ssize_t HIGH
cdef int CLIENT_CLOSED
cdef int KEEP, LENGTH, CHUNKED, UNTIL_CLOSE, WHOLE, MORE, SIMPLE


@cython.final
cdef class Http1Connection(Downstream):
    cdef public ClientAdmission admission
    cdef public object transport, body
    cdef public WorkerContext context
    cdef public Exchange exchange
    cdef public bytes buffer
    cdef public int state
    cdef public bint congested, half_closed, advancing, wrapped, unbounded

    @cython.locals(exchange=Exchange, state=cython.int)
    cpdef data_received(self, bytes data)
    cpdef void dismiss(self) except *


@cython.locals(peer=Peer, settings=ListenerSettings, scanner=Request, flags=cython.int, head=Head, route=RouteTarget,
               exchange=Exchange)
cpdef void read(Http1Connection connection, bytes data) except *
@cython.locals(settings=ListenerSettings)
cpdef void await_request(Http1Connection connection) except *
@cython.locals(sock=Sock)
cpdef void write(object transport, bytes text) except *
cpdef void advance(Http1Connection connection) except *
cpdef void leave(Http1Connection connection, bint sent) except *
