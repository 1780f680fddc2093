# cython: language_level=3
"""C declarations of passive failure back-off: what is compiled of backoff.py."""


cdef class FailureBackoff:
    cdef public double until
    cdef public int failures

    cpdef bint mark_failed(self, double now) except *
    cpdef void clear_failures(self) except *
