# cython: language_level=3
"""C declarations of the choice of a server: what is compiled of choice.py."""

cimport cython

from lbd.backend.backend cimport Backend
from lbd.backend.server cimport Server
from lbd.exchange.streams cimport Requester


@cython.locals(backend=Backend, server=Server)
cpdef Server own(Requester exchange)
@cython.locals(server=Server)
cpdef Server choice(Requester exchange)
cpdef list tried(Requester exchange)
cpdef void bind_source(Requester exchange, Server server) except *
@cython.locals(backend=Backend, server=Server)
cpdef Server select(Requester exchange)
