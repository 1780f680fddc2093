# cython: language_level=3
"""C declarations of stickiness by cookie: what is compiled of sticky.py."""

from lbd.backend.server cimport Server


cdef class Stickiness:
    cdef public bytes cookie
    cdef public bint passed
    cdef public dict servers
    cdef dict _tokens, _lines

    cpdef Server find(self, bytes value)
    cpdef bytes line(self, Server server)


cpdef bint stays(Server own, Server server, object tried) except *
