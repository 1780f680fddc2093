# cython: boundscheck=False, wraparound=False, cdivision=True
"""The least loaded of some servers, over all lanes of the scoreboard."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from lbd.stats.scoreboard cimport K_SERVER, Board


cdef class Least:
    def __cinit__(self, Board board not None, slots, weights):
        self.size = len(slots)
        if len(weights) != self.size:
            raise ValueError(f"{self.size} servers need as many weights, not {len(weights)}")
        self.board = board
        self.slots = <int64_t *>calloc(self.size + 1, sizeof(int64_t))
        self.weights = <double *>calloc(self.size + 1, sizeof(double))
        self.loads = <double *>calloc(self.size + 1, sizeof(double))
        if self.slots == NULL or self.weights == NULL or self.loads == NULL:
            raise MemoryError
        for place in range(self.size):
            board._check(0, K_SERVER, slots[place], 0)
            if not 0 <= weights[place] <= 1e9:
                raise ValueError(f"a weight is 0 to 1e9, not {weights[place]}")
            self.slots[<Py_ssize_t>place] = slots[place]
            self.weights[<Py_ssize_t>place] = weights[place]

    def __dealloc__(self):
        free(self.slots)
        free(self.weights)
        free(self.loads)

    def pick(self):
        cdef Py_ssize_t place, best
        cdef double *cells
        cdef double *loads = self.loads
        cdef int64_t *slots = self.slots
        cdef int64_t lane
        for place in range(self.size):
            loads[place] = 1
        for lane in range(self.board.header.lanes_used):       # lane by lane: what lies side by side is read so
            cells = self.board._cell(lane, K_SERVER, 0, 0)
            for place in range(self.size):
                loads[place] += cells[slots[place]]
        best = least_loaded(loads, self.weights, self.size, self.turn)
        self.turn = best + 1
        return best
