# cython: boundscheck=False, wraparound=False, cdivision=True
"""The turn of a backend: one position in shared memory that every worker advances, and the order it walks through.

A position is taken by one atomic addition, so a worker that is killed at any instruction leaves it usable. Which server
a position means is worked out beforehand and alike in every worker.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from lbd.stats.scoreboard cimport K_BACKEND, Board, Row

from math import gcd

from lbd.stats.layout import turn

cdef extern from *:
    """
    #define lbd_next(p) __atomic_fetch_add((p), 1, __ATOMIC_RELAXED)
    #define lbd_now(p) __atomic_load_n((p), __ATOMIC_RELAXED)
    #define lbd_scaled(x, n) ((uint64_t)(((unsigned __int128)(x) * (n)) >> 64))
    """
    int64_t lbd_next(int64_t *p) noexcept
    int64_t lbd_now(int64_t *p) noexcept
    uint64_t lbd_scaled(uint64_t x, uint64_t n) noexcept       # x / 2**64 of n

cdef enum:
    LONGEST = 16384         # positions of an order that is written out
    MOST_STEPS = 1 << 20    # additions that writing it out may take: about 1 ms

cdef uint64_t GOLDEN = 0x9E3779B97F4A7C15       # 2**64 / golden ratio


cdef class Rotation:
    """`order` where it is written out, `upto` (sums of the weights) where it would be too long, else as listed."""

    cdef Row row                # keeps the memory
    cdef int64_t *position
    cdef int64_t own            # the position where no backend has one
    cdef uint32_t *order
    cdef uint64_t *upto
    cdef uint64_t size, length, total
    cdef readonly tuple weights

    def __cinit__(self, Row backend, weights, int64_t start=0):
        cdef int64_t *shared = NULL
        if len(weights) == 0 or min(weights) < 1 or sum(weights) >= 1 << 62:
            raise ValueError("a rotation needs weights, each from 1 on")
        self.row = backend
        self.own = start
        if backend is not None and backend.kind == K_BACKEND:
            shared = backend.board.shared + <Py_ssize_t>turn(backend.slot)
        self.position = shared if shared != NULL else &self.own
        self.weights = tuple(weights)
        self.size = len(weights)
        common = gcd(*weights)
        reduced = [weight // common for weight in weights]
        self.total = sum(reduced)
        if self.total == self.size:
            return
        self.length = self.total
        if self.length <= LONGEST and self.length * self.size <= MOST_STEPS:
            self._write(reduced)
        else:
            self._sum(reduced)

    def __dealloc__(self):
        free(self.order)
        free(self.upto)

    cdef int _write(self, list weights) except -1:
        """nginx's smooth weighted round robin: the greatest current value wins and pays the total."""
        cdef uint64_t place, at, best
        cdef int64_t *current = <int64_t *>malloc(2 * self.size * sizeof(int64_t))
        cdef int64_t *step = current + self.size
        self.order = <uint32_t *>malloc(self.length * sizeof(uint32_t))
        if current == NULL or self.order == NULL:
            free(current)
            raise MemoryError
        for place in range(self.size):
            current[place] = 0
            step[place] = weights[place]
        for at in range(self.length):
            best = 0
            for place in range(self.size):
                current[place] += step[place]
                if current[place] > current[best]:
                    best = place
            current[best] -= self.total
            self.order[at] = best
        free(current)
        return 0

    cdef int _sum(self, list weights) except -1:
        cdef uint64_t place, upto = 0
        self.upto = <uint64_t *>malloc(self.size * sizeof(uint64_t))
        if self.upto == NULL:
            raise MemoryError
        for place in range(self.size):
            upto += <uint64_t>weights[place]
            self.upto[place] = upto
        return 0

    cdef uint64_t _at(self, uint64_t position) noexcept:
        """Multiples of the golden ratio, modulo 1, fill the line evenly, however many there are (Weyl's sequence)."""
        cdef uint64_t point, low = 0, high, middle
        if self.order != NULL:
            return self.order[position % self.length]
        if self.upto == NULL:
            return position % self.size
        point = lbd_scaled(position * GOLDEN, self.total)
        high = self.size - 1
        while low < high:
            middle = (low + high) // 2
            if self.upto[middle] > point:
                high = middle
            else:
                low = middle + 1
        return low

    def take(self):
        return self._at(<uint64_t>lbd_next(self.position))

    def peek(self):
        return self._at(<uint64_t>lbd_now(self.position))

    @property
    def taken(self):
        return lbd_now(self.position)
