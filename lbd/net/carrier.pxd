"""The layout of a carrier, for connections and for those that carry."""


cdef class Carrier:
    cdef Py_ssize_t held        # bytes that wait for the sink

    cdef Py_ssize_t carry(self) except? -9999
    cdef int drain(self) except -1
    cdef int source_lost(self) except -1
    cdef int sink_lost(self) except -1
