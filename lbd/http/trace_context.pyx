# cython: boundscheck=False, wraparound=False
"""Trace context (W3C Trace Context, levels 1 and 2): a request's traceparent, and the one that goes on from here."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t

from lbd.http.ids cimport draw, put_id
from lbd.http.lines cimport put
from lbd.http.memory cimport copied
from lbd.http.message cimport Head

cdef enum:
    SAMPLED = 0x01
    RANDOM = 0x02       # the id of the trace was drawn at random (level 2); it passes as it came
    TRACE = 3           # where trace, parent and flags begin in a traceparent, and where the version 00 ends
    PARENT = 36
    FLAGS = 53
    END = 55

cdef bytes FIELD = b"traceparent"
cdef tuple GOES = (FIELD,), ALL_GO = (FIELD, b"tracestate")


@cython.final
cdef class TraceContext:
    def __cinit__(self, double share):
        self.share = share

    cpdef void follow(self, Head request) except *:
        cdef list values = request.values(FIELD)
        cdef bytes theirs = the_one(values)
        cdef bytes line = PyBytes_FromStringAndSize(NULL, 13 + END + 2)
        cdef uint8_t* to = put(<uint8_t*>PyBytes_AS_STRING(line), b"traceparent: 00-", 16)
        cdef int flags
        if theirs is None:
            put_id(to, 2)
            flags = SAMPLED if draw() < self.share else 0
        else:
            put(to, PyBytes_AS_STRING(theirs) + TRACE, 32)
            flags = flags_of(theirs) & (SAMPLED | RANDOM)
        to = put(to + 32, b"-", 1)
        put_id(to, 1)
        to = put(to + 16, b"-0", 2)
        to[0] = 48 + flags
        put(to + 1, b"\r\n", 2)
        request.change(ALL_GO if theirs is None else GOES, line)


cdef int digit(uint8_t byte) noexcept:
    """The value of a lower-case hexadecimal digit, -1 for anything else."""
    return byte - 48 if 48 <= byte <= 57 else byte - 87 if 97 <= byte <= 102 else -1


cdef bint is_id(const uint8_t* p, size_t n) noexcept:
    """Whether these bytes are digits, and not all of them zero."""
    cdef size_t i
    cdef bint some = False
    for i in range(n):
        if digit(p[i]) < 0:
            return False
        some |= p[i] != 48
    return some


cdef bint is_valid(const uint8_t* p, size_t n) noexcept:
    """Whether a value is a traceparent: version, trace, parent and flags; more of a later version. ff is no version."""
    if n < END or p[TRACE - 1] != 45 or p[PARENT - 1] != 45 or p[FLAGS - 1] != 45:
        return False
    if digit(p[0]) < 0 or digit(p[1]) < 0 or (p[0] == 102 and p[1] == 102):
        return False
    if digit(p[FLAGS]) < 0 or digit(p[FLAGS + 1]) < 0 or not is_id(p + TRACE, 32) or not is_id(p + PARENT, 16):
        return False
    return n == END or (p[END] == 45 and not (p[0] == 48 and p[1] == 48))


cdef bytes the_one(list values):
    """The only one of the values, if it is valid, else None."""
    cdef bytes value
    if len(values) != 1:
        return None
    value = values[0]
    if value is None or not is_valid(<const uint8_t*>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)):
        return None
    return value


cdef int flags_of(bytes value) noexcept:
    """The flags of a valid traceparent."""
    cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(value)
    return digit(p[FLAGS]) << 4 | digit(p[FLAGS + 1])


def parsed(list values not None):
    cdef bytes value = the_one(values)
    cdef const uint8_t* p
    if value is None:
        return None
    p = <const uint8_t*>PyBytes_AS_STRING(value)
    return copied(p + TRACE, 32), copied(p + PARENT, 16), flags_of(value)


cpdef bytes sampled(Head request):
    cdef bytes value
    if request is None:
        raise TypeError("a head is needed")
    value = request.last(FIELD)
    return value if value is not None and PyBytes_GET_SIZE(value) == END and flags_of(value) & SAMPLED else b""
