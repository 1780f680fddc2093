# cython: language_level=3
"""Counting of statuses and times: classes of statuses, and the buckets of a histogram."""

from libc.stdint cimport uint64_t


cdef inline int code(int status, int none) noexcept:
    """The class of a status from 0 on, above 5xx as 5xx (RFC 9110 15); `none` for what is no status."""
    if 600 <= status <= 999:
        return 4
    return status // 100 - 1 if 100 <= status < 600 else none


cdef inline bint bad(int status, const uint64_t *failing) noexcept:
    """Answers that count as failures of the server: else one that fails fast would draw the traffic. `failing` has a
    bit for each of 500 to 599."""
    return 500 <= status < 600 and failing[(status - 500) >> 6] >> ((status - 500) & 63) & 1


cdef inline int mark(uint64_t *failing, object ranges) except -1:
    """Set the bits of the statuses in these ranges; those that are none of 500 to 599 have none."""
    cdef int place
    failing[0] = failing[1] = 0
    for first, last in ranges:
        for place in range(max(first - 500, 0), min(last - 499, 100)):
            failing[place >> 6] |= <uint64_t>1 << (place & 63)
    return 0


cdef inline void observe(double *cells, const double *bounds, int count, double seconds) noexcept:
    """Count in the histogram that begins at `cells`: a cell per bound, one above the last, then the sum."""
    cdef int place = 0
    while place < count and seconds > bounds[place]:
        place += 1
    cells[place] += 1
    cells[count + 1] += seconds
