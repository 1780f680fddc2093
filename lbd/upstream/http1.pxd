# cython: language_level=3
"""C declarations of a server's HTTP/1 connection: what is compiled of http1.py."""

cimport cython

from lbd.exchange.context cimport WorkerContext
from lbd.exchange.streams cimport Requester, ServerConnection
from lbd.http.head cimport Response
from lbd.backend.server cimport Server
from lbd.http.message cimport Head as MessageHead
from lbd.net.stream cimport Sock

cdef int CONNECTING, REST, HEAD, LENGTH, CHUNKED, TO_END, TUNNEL, CLOSED
cdef int OK
cdef int SIMPLE, WHOLE, UPGRADE, IS_CHUNKED, UNTIL_CLOSE, KEEP


@cython.final
cdef class Http1ServerConnection(ServerConnection):
    cdef public WorkerContext context
    cdef public object transport, chunks
    cdef public Response scanner
    cdef public frozenset statuses
    cdef public Requester exchange
    cdef public bytes buffer
    cdef public Py_ssize_t left, written
    cdef public bint full, keep, paused
    cdef public int mode

    cpdef void send(self, bytes data, bint end) except *
    cpdef void pause(self) except *
    cpdef void resume(self) except *
    cpdef void reset(self) except *
    cpdef void part(self) except *
    cpdef void follow(self, object rules) except *
    @cython.locals(scanner=Response, flags=cython.int, head=MessageHead, request=MessageHead)
    cpdef data_received(self, bytes data)


@cython.locals(request=MessageHead, body=bytes, text=bytes, sock=Sock)
cpdef void write_request(Http1ServerConnection connection, Requester exchange, object transport, bytes greeting=*) except *
@cython.locals(server=Server, idle=dict)
cpdef void completed(Http1ServerConnection connection, Requester exchange) except *
cpdef void rest(Http1ServerConnection connection) except *
