# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""The score of least-time: latency * (in flight + 1) / weight of some servers, and which of them has the least.

Latency is the scoreboard's decayed mean of all workers. As in nginx's least_time a server without samples for a while
is thought to be getting faster, so that it is tried again.
"""

from libc.math cimport INFINITY, exp2
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from lbd.balance.loads cimport Loads
from lbd.stats.decay cimport Latency, copied, merge
from lbd.stats.scoreboard cimport K_BACKEND, K_SERVER, Board, clock

cdef double SHORTEST = 1e-6       # seconds: a latency of nothing would hide the load
cdef double UNKNOWN = 1.0         # seconds, of all servers while there is no sample at all: then only the load counts
cdef double REST = 0.5e-6         # seconds per cell that latencies stay as read: reading takes a hundredth of that


cdef class Fastest:
    cdef Loads loads
    cdef Board board
    cdef int64_t backend
    cdef Py_ssize_t turn
    cdef double decay, since, until        # seconds; when the latencies were read, and when they are to be read again
    cdef double *latencies                 # seconds
    cdef double *lasts                     # when the last sample came
    cdef double *rates                     # latency / weight

    def __cinit__(self, Board board not None, backend, slots, weights, double decay):
        self.loads = Loads(board, slots, weights)
        self.board = board
        self.backend = -1 if backend is None else backend
        if self.backend >= 0:
            board._check(0, K_BACKEND, self.backend, 0)
        if not decay > 0:
            raise ValueError(f"decay is above 0 seconds, not {decay}")
        self.decay = decay
        self.since = INFINITY
        self.latencies = <double *>calloc(3 * self.loads.size, sizeof(double))
        if self.latencies == NULL:
            raise MemoryError
        self.lasts = self.latencies + self.loads.size
        self.rates = self.lasts + self.loads.size

    def __dealloc__(self):
        free(self.latencies)

    cdef void measure(self, Py_ssize_t place, double moment) noexcept:
        """Latency of one server, negative without a sample, and when its last sample came."""
        cdef Latency sums, cell
        cdef Latency *line
        cdef int64_t lane
        memset(&sums, 0, sizeof(Latency))
        for lane in range(self.board.header.lanes_used):
            line = self.board._latency(lane, K_SERVER, self.loads.slots[place])
            if line.weight > 0:
                cell = copied(line)
                merge(&sums, &cell, moment)
        self.latencies[place] = max(sums.sum / sums.weight, SHORTEST) if sums.weight > 0 else -1.0
        self.lasts[place] = sums.last

    cdef void refresh(self, double moment) noexcept:
        """Read all latencies, and put in what stands for those that are missing or old."""
        cdef Py_ssize_t place, known = 0
        cdef double least = INFINITY, total = 0, mean = -1.0, latency, idle
        for place in range(self.loads.size):
            self.measure(place, moment)
            latency = self.latencies[place]
            if latency > 0:
                known += 1
                total += latency
                least = min(least, latency)
        if self.backend >= 0:
            mean = self.board._mean(K_BACKEND, self.backend)
        if mean < 0:
            mean = total / known if known else UNKNOWN
        for place in range(self.loads.size):
            latency = self.latencies[place]
            idle = moment - self.lasts[place] - self.decay
            if latency < 0:
                latency = max(mean, SHORTEST)
            elif idle > 0:
                latency = least + (latency - least) * exp2(-idle / self.decay)
            self.rates[place] = latency / self.loads.weights[place]
        self.since = moment
        self.until = moment + REST * self.loads.size * self.board.header.lanes_used

    def pick(self):
        cdef double moment = clock()
        cdef double least = INFINITY, score
        cdef double *counts
        cdef Py_ssize_t place, best = 0, start = self.turn, stop = self.loads.size
        cdef int part
        if moment >= self.until or moment < self.since:
            self.refresh(moment)
        self.loads.read()
        counts = self.loads.counts
        for part in range(2):
            for place in range(start, stop):
                score = self.rates[place] * (counts[place] + 1)
                if score < least:
                    best, least = place, score
            start, stop = 0, start
        self.turn = best + 1
        return best

    def scores(self):
        self.refresh(clock())
        self.loads.read()
        return [self.rates[place] * (self.loads.counts[place] + 1) for place in range(self.loads.size)]
