# cython: language_level=3
"""The pairs of a Cookie field (RFC 6265 4.2), read without an object per pair."""

from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp

cdef enum:
    EQUALS = 61
    QUOTE = 34
    SEMICOLON = 59


cdef inline bint next_pair(const uint8_t* p, size_t n, size_t* at, size_t* start, size_t* stop) noexcept nogil:
    """Find the pair that begins at at[0], without white space around it, and step over it; False after the last."""
    cdef size_t i = at[0]
    cdef size_t end
    cdef const uint8_t* found
    if i > n:
        return False
    found = <const uint8_t*>memchr(p + i, SEMICOLON, n - i)
    end = n if found is NULL else found - p
    at[0] = end + 1
    while i < end and (p[i] == 32 or p[i] == 9):
        i += 1
    while end > i and (p[end - 1] == 32 or p[end - 1] == 9):
        end -= 1
    start[0], stop[0] = i, end
    return True


cdef inline bint has_name(const uint8_t* pair, size_t n, const uint8_t* name, size_t size) noexcept nogil:
    """Whether the pair has that name, be it without a value."""
    return n >= size and memcmp(pair, name, size) == 0 and (n == size or pair[size] == EQUALS)


cdef inline const uint8_t* cookie_in(const uint8_t* p, size_t n, const uint8_t* name, size_t size,
                                     size_t* length) noexcept nogil:
    """The first value of a cookie in a field, without quotes around it; NULL where it is not there."""
    cdef size_t at = 0, start = 0, stop = 0
    while next_pair(p, n, &at, &start, &stop):
        if stop - start > size and has_name(p + start, stop - start, name, size):
            start += size + 1
            if stop - start > 1 and p[start] == QUOTE and p[stop - 1] == QUOTE:
                start += 1
                stop -= 1
            length[0] = stop - start
            return p + start
    return NULL


cdef inline size_t others(const uint8_t* p, size_t n, const uint8_t* name, size_t size, uint8_t* to) noexcept nogil:
    """Write the pairs of another name, each with a semicolon and a space behind it, unless `to` is NULL; returns how
    many bytes that is."""
    cdef size_t at = 0, start = 0, stop = 0, total = 0
    cdef size_t i
    while next_pair(p, n, &at, &start, &stop):
        if stop == start or has_name(p + start, stop - start, name, size):
            continue
        if to is not NULL:
            for i in range(stop - start):
                to[total + i] = p[start + i]
            to[total + stop - start] = SEMICOLON
            to[total + stop - start + 1] = 32
        total += stop - start + 2
    return total
