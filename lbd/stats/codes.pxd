# cython: language_level=3
"""What a status and a time are counted as: classes of statuses, and the buckets of a histogram."""

cdef inline int code(int status, int none) noexcept:
    """The class of a status from 0 on, above 5xx as 5xx (RFC 9110 15); `none` for what is no status."""
    if 600 <= status <= 999:
        return 4
    return status // 100 - 1 if 100 <= status < 600 else none


cdef inline bint bad(int status) noexcept:
    """Answers that count as failures of the server: else one that fails fast would draw the traffic."""
    return 502 <= status <= 504


cdef inline void observe(double *cells, const double *bounds, int count, double seconds) noexcept:
    """Count in the histogram that begins at `cells`: a cell per bound, one above the last, then the sum."""
    cdef int place = 0
    while place < count and seconds > bounds[place]:
        place += 1
    cells[place] += 1
    cells[count + 1] += seconds
