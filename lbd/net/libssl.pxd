"""Calls of libssl on the connection of an `ssl.SSLObject`, for `lbd.net.secure`."""

cdef bint handshake(object engine) except -1
cdef int say_end(object engine, object tls) except -1
