# cython: language_level=3
"""C declarations of the head of a message, for the kernels that make and read it."""

from libc.stdint cimport int64_t, uint8_t

from lbd.http.lines cimport Line


cdef class Head:
    cdef bytes _text                    # as it was composed last; a body may stand behind it
    cdef public Py_ssize_t size         # of the head in it, where the body begins
    cdef bytes before                   # the text before the first change that was composed
    cdef public bytes method, host, trailers
    cdef bytes _target
    cdef public int64_t length, hops
    cdef public int status, minor, flags, ending
    cdef public bint plain, signs, framed, to_head, idempotent
    cdef Line* line                     # the index, NULL while there is none
    cdef int count
    cdef bint changed
    cdef bytes start                    # another first line, None for that of the text
    cdef list added                     # lines behind those of the text

    cpdef bytes path(self)
    cpdef bint strip(self, bytes prefix) except -1
    cpdef list values(self, bytes name)
    cpdef bytes last(self, bytes name)
    cpdef bytes cookie(self, bytes name)
    cpdef void remove_cookie(self, bytes name) except *
    cpdef void change(self, tuple removed, bytes lines, bint fold=*) except *
    cpdef bytes compose(self)
    cpdef bytes received(self)
    cdef int aim(self, bytes target) except -1
    cdef size_t put_cookies(self, bytes name, uint8_t* to) noexcept
    cdef int index(self) except -1
    cdef int locate(self, tuple names, const uint8_t* by) except -1
    cdef int drop(self, tuple names, bint fold) except -1
    cdef int forget(self) noexcept


cdef int begin(Head head, bytes text, Py_ssize_t size) except -1
