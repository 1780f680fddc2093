# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Smooth weighted round robin as one compiled pass over the weights, as in nginx (ngx_http_upstream_round_robin.c)."""

from libc.stdlib cimport calloc, free


cdef class Smooth:
    cdef long long *current
    cdef long long *weights
    cdef long long total
    cdef Py_ssize_t size

    def __cinit__(self, weights, current):
        if len(weights) != len(current):
            raise ValueError("as many current values as weights are needed")
        self.size = len(weights)
        self.current = <long long *>calloc(2 * self.size + 1, sizeof(long long))
        if self.current == NULL:
            raise MemoryError
        self.weights = self.current + self.size
        self.total = 0
        cdef Py_ssize_t place
        for place in range(self.size):
            self.weights[place] = weights[place]
            self.current[place] = current[place]
            self.total += self.weights[place]

    def __dealloc__(self):
        free(self.current)

    def pick(self):
        cdef Py_ssize_t place, best = 0
        cdef long long value, most = 0
        if self.size == 0:
            raise ValueError("nothing to pick from")
        for place in range(self.size):
            value = self.current[place] + self.weights[place]
            self.current[place] = value
            if place == 0 or value > most:
                most = value
                best = place
        self.current[best] -= self.total
        return best

    def state(self):
        cdef Py_ssize_t place
        return [self.current[place] for place in range(self.size)]
