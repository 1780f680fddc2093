# cython: language_level=3
"""C declarations of the loads of servers, for the kernels that choose by them."""

from libc.stdint cimport int64_t, uint64_t

from lbd.stats.scoreboard cimport Board


cdef class Loads:
    cdef Board board
    cdef Py_ssize_t size
    cdef int64_t *slots
    cdef double *weights
    cdef double *sums         # of the weights up to and with each server
    cdef double *counts       # in flight, as `read` found them
    cdef uint64_t state       # of the dice
    cdef double read(self) noexcept
    cdef double count(self, Py_ssize_t place) noexcept
    cdef double dice(self) noexcept
    cdef Py_ssize_t drawn(self, const Py_ssize_t *taken, int number) noexcept
    cdef double below(self, double limit) noexcept
    cdef Py_ssize_t least(self) noexcept
