# cython: language_level=3
"""C declarations of the admission of clients: what is compiled of admission.py."""

cimport cython

from lbd.exchange.context cimport WorkerContext
from lbd.exchange.streams cimport Peer
from lbd.net.stream cimport Sock
from lbd.routing.listener cimport Listener, ListenerSettings

cdef int CONNECTIONS, ACCEPTED


cdef class ClientAdmission:
    cdef public WorkerContext context
    cdef public set clients
    cdef public Py_ssize_t limit
    cdef public bint paused, watched
    cdef public object handshakes
    cdef object _listeners, _gone

    @cython.locals(peer=Peer)
    cpdef bint connected(self, connection, transport) except *
    @cython.locals(listener=Listener, clients=set, address=bytes)
    cpdef bint add(self, connection, Peer peer, transport) except *
    @cython.locals(peer=Peer, settings=ListenerSettings)
    cpdef bint enter(self, connection) except *
    @cython.locals(peer=Peer, listener=Listener)
    cpdef void disconnected(self, connection) except *
    cpdef void keep_limit(self) except *


@cython.locals(sock=Sock, source=bytes)
cpdef bytes peer_address(transport)
