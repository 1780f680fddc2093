# cython: language_level=3
"""The search for the least load by weight among numbers that lie side by side."""

from libc.math cimport INFINITY
from libc.stdint cimport int64_t

from lbd.stats.scoreboard cimport Board

cdef extern from *:
    """
    #define lbd_branch() __asm__ volatile("")
    """
    void lbd_branch() noexcept       # keeps the compiler from making conditional moves of the branch it stands in


cdef inline Py_ssize_t least_loaded(const double *loads, const double *weights, Py_ssize_t size,
                                    Py_ssize_t start) noexcept:
    """Index of the least load / weight, the first one from `start` on, around; -1 if every weight is 0.

    Loads are above 0. The comparison is exact for whole numbers, so that equals are found equal. A branch that is
    seldom taken is faster here than conditional moves, each of which waits for the one before.
    """
    cdef Py_ssize_t place, best = -1, stop = size
    cdef double least = INFINITY, weight = 1
    cdef int part
    for part in range(2):
        for place in range(start, stop):
            if loads[place] * weight < least * weights[place]:       # false for a weight of 0
                lbd_branch()
                best, least, weight = place, loads[place], weights[place]
        start, stop = 0, start
    return best


cdef class Least:
    cdef Board board
    cdef Py_ssize_t size, turn
    cdef double *weights
    cdef double *loads
    cdef int64_t *slots
