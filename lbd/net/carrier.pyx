"""The interface between connections and `lbd.net.splice`, which moves their bytes."""


cdef class Carrier:
    """A pump that moves bytes from one connection, its source, to another in place of their protocols."""

    cdef Py_ssize_t carry(self) except? -9999:
        """The source has bytes; returns as recv(2) does, an error as -errno."""
        return 0

    cdef int drain(self) except -1:
        """The sink, which is FED, takes more."""
        return 0

    cdef int source_lost(self) except -1:
        """The source is closed; what is held still goes to the sink."""
        return 0

    cdef int sink_lost(self) except -1:
        """The sink is closed: what is held is lost."""
        return 0
