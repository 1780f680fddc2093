# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""The ring of consistent hashing: points of all servers in order, and the next point of a key.

Points per server as in ketama (libketama; nginx's `hash … consistent`); the bound on the load is that of Mirrokni,
Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (SODA 2018).
"""

from libc.math cimport ceil
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from lbd.balance.loads cimport Loads
from lbd.balance.splitmix cimport mixed

cdef enum:
    MOST = 1 << 22           # points
    FARTHEST = 4096          # points that are tried for one below the bound, before all servers are compared
    DIGITS = 1 << 11         # of the sort: three of them make 32 bits, and a bit more

cdef uint64_t GOLDEN = 0x9E3779B97F4A7C15

POINTS = MOST


cdef class Ring:
    """A point is its place on the ring (32 bits) above the index of its server (32 bits)."""

    cdef uint64_t *all
    cdef uint64_t *used
    cdef Py_ssize_t servers, total, size

    def __cinit__(self, hashes, points):
        cdef Py_ssize_t place, number, at = 0
        cdef uint64_t value
        self.servers = len(hashes)
        self.total = self.size = sum(points)
        if len(points) != self.servers or min(points, default=0) < 0 or self.total > MOST:
            raise ValueError(f"as many counts as servers are needed, and at most {MOST} points together")
        self.all = <uint64_t *>malloc((self.total + 1) * sizeof(uint64_t))
        self.used = <uint64_t *>malloc((self.total + 1) * sizeof(uint64_t))
        if self.all == NULL or self.used == NULL:
            raise MemoryError
        for place in range(self.servers):
            value = hashes[place]
            for number in range(points[place]):
                value += GOLDEN
                self.all[at] = mixed(value) & <uint64_t>0xFFFFFFFF00000000 | <uint64_t>place
                at += 1
        sort(self.all, self.used, self.total)
        self.narrow(range(self.servers))

    def __dealloc__(self):
        free(self.all)
        free(self.used)

    def narrow(self, indices):
        cdef Py_ssize_t at, size = 0
        cdef int32_t *known
        if len(indices) != self.servers:
            raise ValueError(f"{self.servers} servers need as many indices, not {len(indices)}")
        known = <int32_t *>calloc(self.servers + 1, sizeof(int32_t))
        if known == NULL:
            raise MemoryError
        for at in range(self.servers):
            known[at] = indices[at]
        for at in range(self.total):
            self.used[size] = self.all[at] & <uint64_t>0xFFFFFFFF00000000 | <uint64_t>known[<uint32_t>self.all[at]]
            size += known[<uint32_t>self.all[at]] >= 0
        self.size = size
        free(known)

    cdef Py_ssize_t _next(self, uint64_t value) noexcept:
        """The first point that is not before the place of the value."""
        cdef Py_ssize_t low = 0, high = self.size, middle
        value &= <uint64_t>0xFFFFFFFF00000000
        while low < high:
            middle = (low + high) // 2
            if self.used[middle] < value:
                low = middle + 1
            else:
                high = middle
        return low if low < self.size else 0

    def find(self, uint64_t value):
        if not self.size:
            raise ValueError("nothing to pick from")
        return <uint32_t>self.used[self._next(value)]

    def find_bounded(self, uint64_t value, Loads loads not None, double factor):
        cdef Py_ssize_t at, number, place
        cdef double share
        if not self.size:
            raise ValueError("nothing to pick from")
        share = factor * (loads.read() + 1) / loads.sums[loads.size - 1]
        at = self._next(value)
        for number in range(min(self.size, FARTHEST)):
            place = <uint32_t>self.used[at]
            if place >= loads.size:
                raise ValueError("the loads are not those of the ring's servers")
            if loads.counts[place] < ceil(share * loads.weights[place]):
                return place
            at = at + 1 if at + 1 < self.size else 0
        return loads.least()


cdef void sort(uint64_t *points, uint64_t *other, Py_ssize_t size) noexcept:
    """By place, equal places as they stood: a radix sort, 11 bits at a time; `other` is room for as many points."""
    cdef Py_ssize_t counts[DIGITS]
    cdef Py_ssize_t at, sum_, count
    cdef int turn, digit
    cdef uint64_t *source = points
    cdef uint64_t *target = other
    for turn in range(3):
        memset(counts, 0, sizeof(counts))
        for at in range(size):
            counts[(source[at] >> (32 + 11 * turn)) & (DIGITS - 1)] += 1
        sum_ = 0
        for digit in range(DIGITS):
            count = counts[digit]
            counts[digit] = sum_
            sum_ += count
        for at in range(size):
            digit = (source[at] >> (32 + 11 * turn)) & (DIGITS - 1)
            target[counts[digit]] = source[at]
            counts[digit] += 1
        source, target = target, source
    for at in range(size):           # after three turns they are in the other room
        points[at] = other[at]
