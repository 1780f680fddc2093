# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""The loads of some servers, as requests in flight of all workers, and the choices that draw and compare them."""

from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from lbd.balance.splitmix cimport mixed
from lbd.stats.scoreboard cimport K_SERVER, Board

cdef enum:
    MOST_PROBES = 32

cdef uint64_t GOLDEN = 0x9E3779B97F4A7C15     # step of SplitMix64
cdef double AUTO = 1.25                       # the limit that is found by itself, in means

PROBES = MOST_PROBES


cdef class Loads:
    def __cinit__(self, Board board not None, slots, weights, seed=0):
        cdef Py_ssize_t place
        cdef double total = 0
        self.size = len(slots)
        if len(weights) != self.size or not self.size:
            raise ValueError(f"{self.size} servers need as many weights, not {len(weights)}, and at least one")
        self.board = board
        self.state = seed & 0xFFFFFFFFFFFFFFFF
        self.slots = <int64_t *>calloc(self.size, sizeof(int64_t))
        self.weights = <double *>calloc(3 * self.size, sizeof(double))
        if self.slots == NULL or self.weights == NULL:
            raise MemoryError
        self.sums = self.weights + self.size
        self.counts = self.sums + self.size
        for place in range(self.size):
            board._check(0, K_SERVER, slots[place], 0)
            if not 0 < weights[place] <= 1e9:
                raise ValueError(f"a weight is above 0 and at most 1e9, not {weights[place]}")
            self.slots[place] = slots[place]
            self.weights[place] = weights[place]
            total += self.weights[place]
            self.sums[place] = total

    def __dealloc__(self):
        free(self.slots)
        free(self.weights)

    cdef double read(self) noexcept:
        """Read all counts; returns their sum."""
        cdef Py_ssize_t place
        cdef int64_t lane
        cdef double *cells
        cdef double *counts = self.counts
        cdef int64_t *slots = self.slots
        cdef double total = 0
        for place in range(self.size):
            counts[place] = 0
        for lane in range(self.board.header.lanes_used):       # lane by lane: what lies side by side is read so
            cells = self.board._cell(lane, K_SERVER, 0, 0)
            for place in range(self.size):
                counts[place] += cells[slots[place]]
        for place in range(self.size):
            total += counts[place]
        return total

    cdef double count(self, Py_ssize_t place) noexcept:
        """Requests in flight at one server."""
        cdef double count = 0
        cdef int64_t lane
        for lane in range(self.board.header.lanes_used):
            count += self.board._cell(lane, K_SERVER, self.slots[place], 0)[0]
        return count

    cdef double dice(self) noexcept:
        """From 0 to below 1."""
        self.state += GOLDEN
        return <double>(mixed(self.state) >> 11) * (1.0 / 9007199254740992.0)

    cdef Py_ssize_t drawn(self, const Py_ssize_t *taken, int number) noexcept:
        """Draw a server that is not among the `number` taken, which are in order: exactly by weight, with one random number."""
        cdef double throw = self.sums[self.size - 1]
        cdef Py_ssize_t low = 0, high = self.size - 1, middle
        cdef int at
        for at in range(number):
            throw -= self.weights[taken[at]]
        throw *= self.dice()
        for at in range(number):
            if throw >= self.sums[taken[at]] - self.weights[taken[at]]:
                throw += self.weights[taken[at]]
        while low < high:
            middle = (low + high) // 2
            if self.sums[middle] > throw:
                high = middle
            else:
                low = middle + 1
        for middle in range(number):       # what rounding of fractions can do
            for at in range(number):
                if taken[at] == low:
                    low = (low + 1) % self.size
        return low

    cdef double below(self, double limit) noexcept:
        """The limit of in flight / weight; found from the mean, the new request counted in, when it is 0."""
        return limit if limit > 0 else AUTO * (self.read() + 1) / self.sums[self.size - 1]

    cdef Py_ssize_t least(self) noexcept:
        """The first of those with the least count / weight, as `read` found them."""
        cdef Py_ssize_t place, best = 0
        for place in range(1, self.size):
            if self.counts[place] * self.weights[best] < self.counts[best] * self.weights[place]:
                best = place
        return best

    def in_flight(self):
        self.read()
        return [<int64_t>self.counts[place] for place in range(self.size)]

    def draw(self):
        return self.drawn(NULL, 0)

    def two(self):
        cdef Py_ssize_t first = self.drawn(NULL, 0), second
        if self.size == 1:
            return first
        second = self.drawn(&first, 1)
        if self.count(second) * self.weights[first] < self.count(first) * self.weights[second]:
            return second
        return first

    def threshold(self, double limit, int probes):
        cdef Py_ssize_t taken[MOST_PROBES]
        cdef Py_ssize_t place, best = 0
        cdef double load, least = INFINITY
        cdef int number, at
        limit = self.below(limit)
        for number in range(min(probes, self.size, MOST_PROBES)):
            place = self.drawn(taken, number)
            load = self.count(place) / self.weights[place]
            if load < limit:
                return place
            if load < least:
                least, best = load, place
            at = number
            while at > 0 and taken[at - 1] > place:
                taken[at] = taken[at - 1]
                at -= 1
            taken[at] = place
        return best

    def listed(self, double limit):
        cdef Py_ssize_t place
        limit = self.below(limit)
        for place in range(self.size):
            self.counts[place] = self.count(place)
            if self.counts[place] < limit * self.weights[place]:
                return place
        return self.least()
