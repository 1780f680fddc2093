# cython: boundscheck=False, wraparound=False
# cython: auto_pickle=False, autotestdict=False
"""A bound on the sum of a cell over all lanes that no race can exceed, without locks.

The idea is Lamport's ("A Fast Mutual Exclusion Algorithm", 1987): announce in a cell of one's own, then look at
all the others. Of any two that reach for the last place the one whose announcement comes later sees both, so that never
both have it; when each sees the other, both step back and try again in the order of their lanes.
"""

from libc.stdint cimport int64_t

from lbd.stats.atomic cimport lbd_fence, lbd_pause
from lbd.stats.scoreboard cimport Board, Row

cdef enum:
    TRIES = 8       # then the bound counts as reached: waiting requests ask again
    STEP = 32       # turns of the pause by which the next lane waits longer


cdef int64_t lane_of(Row row, double *own, int field) noexcept:
    cdef Board board = row.board
    cdef int64_t lane = 0
    while lane < board.header.lanes_used and board._cell(lane, row.kind, row.slot, field) != own:
        lane += 1
    return lane


def total(Row row not None, int field):
    row._cell(field)
    return row.board._total(row.kind, row.slot, field)


def reserve(Row row not None, int field, double bound):
    cdef double *own = row._cell(field)
    cdef Board board = row.board
    cdef int attempt
    cdef int64_t turn
    for attempt in range(TRIES):
        own[0] += 1
        lbd_fence()
        if board._total(row.kind, row.slot, field) <= bound:
            return True
        own[0] -= 1
        lbd_fence()
        if board._total(row.kind, row.slot, field) >= bound:
            return False
        for turn in range(lane_of(row, own, field) * STEP * (attempt + 1)):      # it was a collision: there is room
            lbd_pause()
    return False
