# cython: language_level=3
"""C declarations of the acceptor of clients: what is compiled of acceptor.py."""

cimport cython

from lbd.downstream.admission cimport ClientAdmission
from lbd.exchange.streams cimport Peer
from lbd.routing.listener cimport Listener, ListenerSettings


cdef class ClientAcceptor:
    cdef ClientAdmission admission
    cdef Listener listener

    @cython.locals(admission=ClientAdmission, listener=Listener, settings=ListenerSettings, peer=Peer)
    cpdef object accept(self)
