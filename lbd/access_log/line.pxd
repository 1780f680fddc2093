"""The layout of the log's lines, for kernels that add to them without objects for numbers."""

from libc.stdint cimport int64_t, uint64_t

from lbd.access_log.text cimport Text
from lbd.stats.scoreboard cimport Record

cdef enum:
    NUMBER = 64                 # room for any number, or for a time

cdef struct LogColumn:
    int place                   # of the names of the columns
    Text key                    # as it stands in the line, from the comma or brace to the colon
    Text header                 # lower case; NULL: the column is no field of the head
    Text found


cdef class LineFormatter:
    cdef readonly Py_ssize_t count, size
    cdef readonly bint full
    cdef public double zero
    cdef uint64_t initials              # a bit for each letter that one of them begins with, whatever its case
    cdef char *buffer
    cdef Py_ssize_t room, number, fixed, headers
    cdef Py_ssize_t *header_columns     # places of the columns that are fields of the head
    cdef LogColumn *columns
    cdef list kept                      # what the columns point to
    cdef int form
    cdef double sample
    cdef uint64_t random
    cdef int64_t generation, worker, second
    cdef char stamp[NUMBER]             # the second, as it was written last
    cdef Py_ssize_t stamp_size

    cdef int _column(self, LogColumn *column, str name, bytes before) except -1
    cpdef void add(self, Record record, str listener, int64_t route, str backend, str server, bytes client, bytes head,
                   int minor, long long bytes_in, long long bytes_out, int ending, str reason=*, int port=*) except *
    cdef Py_ssize_t _longest(self, Text method, Text target) noexcept
    cdef int _figure(self, int what, Record record, int64_t route, long long bytes_in, long long bytes_out,
                     int ending) except -1
    cdef bint _skipped(self, int status, int ending) noexcept
    cdef void _head(self, Text head, Text *method, Text *target) noexcept
    cdef void _value(self, Text *found, const char *start, const char *stop) noexcept
    cdef int _common(self, double at, bytes client, int status, long long bytes_out, Text method, Text target,
                     int minor) except -1
    cdef int _end(self) noexcept
    cdef int _ensure(self, Py_ssize_t more) except -1
    cdef int _raw(self, Text text) noexcept
    cdef int _quoted(self, Text text) noexcept
    cdef int _text(self, Text text) noexcept
    cdef int _integer(self, int64_t value, bint there) noexcept
    cdef int _seconds(self, double start, double stop) noexcept
    cdef int _time(self, double at) noexcept
