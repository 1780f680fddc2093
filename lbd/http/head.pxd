# cython: language_level=3
"""C declarations of the scanners, for the kernel that calls them without the interpreter."""

from libc.stdint cimport int64_t, uint8_t

from lbd.http.lines cimport Lines
from lbd.http.message cimport Head
from lbd.http.request cimport RequestHead, Peer
from lbd.http.response cimport Answered


cdef class Request:
    cdef readonly Head message
    cdef readonly Py_ssize_t head, end
    cdef readonly str error
    cdef bytes host                                # of the last message
    cdef RequestHead parsed
    cdef Lines lines
    cdef Peer peer
    cdef uint8_t* scratch
    cdef size_t room, max_head, max_uri
    cdef uint8_t kind                              # what names are made of
    cdef uint8_t untrusted[64]                     # whether lines of each Name are dropped
    cdef uint8_t trusted[64]
    cpdef int scan(self, bytes data, Py_ssize_t start, bytes peer, bytes proto, bint trusted) except -1
    cdef int take(self, const uint8_t* p, size_t fields, size_t stop, int flags) except -1


cdef class Response:
    cdef readonly Head message
    cdef readonly Py_ssize_t head, end
    cdef readonly str error
    cdef Answered answered
    cdef Lines lines
    cdef int lenient
    cdef uint8_t* scratch
    cdef uint8_t* tidy               # a head that was not as it should be, rewritten
    cdef size_t room, tidy_room, max_head
    cpdef int scan(self, bytes data, Py_ssize_t start, bint to_head, int minor, bint keep) except -1
    cdef int judge(self, const uint8_t* p, size_t size, bint to_head, bint tidy, Py_ssize_t* at) noexcept
