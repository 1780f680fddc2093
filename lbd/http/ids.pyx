"""Ids of requests, traces and spans, and draws by the same means: a key of this process, and a count."""

import os

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from lbd.http.identity cimport Ids, hashed, write_digits
from lbd.http.memory cimport copied

cdef Ids IDS
cdef double SHARE = 2.0 ** -53      # of each value of as many bits


def _seed():
    """Take a new key: at import, and in the child after a fork, which would repeat the parent's ids."""
    cdef bytes key = os.urandom(sizeof(Ids))
    memcpy(&IDS, PyBytes_AS_STRING(key), sizeof(Ids))


_seed()
os.register_at_fork(after_in_child=_seed)


cdef void put_id(uint8_t* to, int halves) noexcept:
    write_digits(&IDS, to, halves)


cdef double draw() noexcept:
    cdef double drawn = <double>(hashed(&IDS, IDS.count) >> 11) * SHARE
    IDS.count += 1
    return drawn


def request_id():
    cdef uint8_t text[32]
    put_id(text, 2)
    return copied(text, 32)
