# cython: language_level=3
"""C declarations of the admission of clients: what is compiled of admission.py."""

cimport cython

from lbd.exchange.context cimport WorkerContext
from lbd.exchange.streams cimport Peer
from lbd.routing.listener cimport Listener, ListenerSettings


cdef class ClientAdmission:
    cdef public WorkerContext context
    cdef public set clients
    cdef public Py_ssize_t limit
    cdef public bint paused, watched
    cdef public object handshakes
    cdef object _listeners, _gone

    @cython.locals(peer=Peer, listener=Listener, address=bytes)
    cpdef bint connected(self, connection, transport) except *
    @cython.locals(peer=Peer, settings=ListenerSettings)
    cpdef bint enter(self, connection) except *
    @cython.locals(peer=Peer, listener=Listener)
    cpdef void disconnected(self, connection) except *
    cpdef void keep_limit(self) except *


cpdef object peer_address(transport)
