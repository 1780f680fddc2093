# cython: language_level=3
"""C declarations of the scoreboard, for the kernels that read it."""

from libc.stdint cimport int64_t, uint64_t

from lbd.stats.decay cimport Latency

cdef enum:
    K_SERVER, K_ROUTE, K_BACKEND, K_LISTENER, K_PROCESS, KINDS
    PAGE = 4096              # bytes; the header is the first page, the lanes follow
    MAX_LANES = 4096
    MOST_BOUNDS = 32         # of a histogram

cdef struct Header:
    int64_t magic, layout, lanes
    int64_t lanes_used       # readers stop there
    int64_t slots_used[KINDS]
    int64_t per_server       # whether servers have a histogram too
    int64_t bounds_count
    double bounds[MOST_BOUNDS]

cdef struct Section:         # layout.py says what these are
    int64_t fields, capacity, stride, cells, latencies


cdef double clock() noexcept      # monotonic seconds, as `freeze` left them


cdef class Board:
    cdef readonly int fd, lanes
    cdef readonly object layout
    cdef char *memory
    cdef Header *header
    cdef int64_t *shared     # the segment whose cells have several writers
    cdef size_t size
    cdef bint owner
    cdef int _map(self) except -1
    cdef int _check(self, int64_t lane, int kind, int64_t slot, int field) except -1
    cdef double *_cell(self, int64_t lane, int kind, int64_t slot, int field) noexcept
    cdef Latency *_latency(self, int64_t lane, int kind, int64_t slot) noexcept
    cdef double _total(self, int kind, int64_t slot, int field) noexcept
    cdef double _mean(self, int kind, int64_t slot) noexcept


cdef class Row:
    cdef Board board         # keeps the mapping
    cdef Header *header
    cdef int kind
    cdef readonly int64_t slot
    cdef double *cells
    cdef double *first       # field 0
    cdef Latency *latency    # NULL for kinds without
    cdef double decay        # seconds
    cdef uint64_t failing[2] # statuses from 500 on that are failures, a bit each
    cdef bint last_byte      # a sample is the time to the last byte, not to the head
    cdef double *_cell(self, int field) except NULL
    cpdef void add(self, int field, double amount) except *
    cpdef void both(self, int first, int second) except *


cdef class Record:
    cdef readonly double started
    cdef public int status
    cdef double taken        # when the server was
    cdef readonly double chosen, reached            # the first server, the connection to the last one: 0 not yet
    cdef double headed, ended                       # the final head, all: 0 not yet
    cdef int drops           # servers given up for another
    cdef int answered        # status of the server's final head, 0 before it
    cdef Row process, route, backend, server
    cpdef void begin(self, Row route, Row backend) except *
    cpdef void took(self, Row server) except *
    cpdef void connected(self) noexcept
    cpdef void dropped(self, bint failed) noexcept
    cpdef void head(self, int status) noexcept
    cpdef void finish(self, int ending, long long bytes_in, long long bytes_out) noexcept
    cdef void _good(self, double moment) noexcept
    cdef void _failed(self, double moment) noexcept


cpdef Record new_record(Row process)
