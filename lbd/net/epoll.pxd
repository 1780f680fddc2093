"""The layout of the epoll set, for the kernels that put descriptors into it."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t

cdef enum:
    READ = 262144               # bytes of one read; 64 KiB made 10 MB bodies a third dearer


cdef class Watched:
    cdef Epoll owner
    cdef int fd                 # -1 once closed
    cdef uint32_t turn          # tells it from earlier owners of the same descriptor number
    cdef uint32_t mask          # events registered
    cdef bint registered

    cdef int adopt(self, Epoll owner, int fd) except -1
    cdef int ready(self, uint32_t events) except -1
    cdef int settle(self) except -1
    cdef int arm(self) except -1
    cdef int relieve(self) except -1
    cdef int discard(self) except -1
    cdef int watch(self, uint32_t mask) except -1
    cdef void unwatch(self) noexcept
    cdef int release(self) except -2


cdef class Epoll:
    cdef int epoll
    cdef int bell               # an eventfd: rings where something was put off outside run()
    cdef bint rung
    cdef bint running
    cdef uint32_t turns
    cdef list table             # by descriptor number: what watches it, or None
    cdef list later             # what wants its settle() at the end of the turn
    cdef list fresh, older      # what is not registered yet, since it is busy: of this round, and of the one before
    cdef int round              # turns of this round
    cdef list starved           # what waits for a descriptor to become free
    cdef long starved_ms        # when descriptors ran out
    cdef double now             # monotonic seconds, of the turn or of the last tick
    cdef object failed
    cdef void *events
    cdef char *buffer           # what short reads go through

    cdef void look_at_clock(self) noexcept
    cdef object join(self, Watched source, Watched sink)
    cdef int settle(self) except -1
    cdef Py_ssize_t fetch(self, int fd, bint bulk, PyObject **data) except? -9999
    cdef int serve(self, Watched one, uint32_t events) except -1
    cdef int silence(self) except -1
    cdef int starve(self, Watched one) except -1
    cdef int relieve(self) except -1
    cdef int turn_round(self) except -1
    cdef int put_off(self, Watched one) except -1
    cdef int ring(self) except -1
    cdef int report(self, object exc, object source) except -1
