# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""The table of sticky source addresses: which server a source had, in the scoreboard, for all workers."""

from libc.stdint cimport int64_t, uint64_t

from lbd.stats.scoreboard cimport PAGE, Board

from lbd.stats.layout import BUCKETS as _BUCKETS
from lbd.stats.layout import SOURCES as _SOURCES
from lbd.stats.layout import WAYS as _WAYS
from lbd.stats.layout import arrange
from lbd.stats.scoreboard import now

cdef extern from *:
    """
    #define lbd_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
    """
    void lbd_fence() noexcept nogil

cdef struct Entry:
    int64_t sequence         # odd while it is being written
    uint64_t source
    uint64_t server          # 0: empty
    int64_t turn             # how often the source was given another server
    double start, seen       # monotonic seconds

cdef uint64_t BUCKETS = _BUCKETS
cdef int WAYS = _WAYS
cdef int64_t lane_size = arrange().size, region = arrange().sources

if sizeof(Entry) * BUCKETS * WAYS != _SOURCES:
    raise ImportError("the layout of lbd.stats does not fit the compiled table of sources: build lbd again")


cdef inline bint read(const Entry *at, Entry *into) noexcept:
    """A whole entry, or none: a writer in the middle, or one that died there, is not waited for."""
    cdef int64_t sequence = at.sequence
    lbd_fence()
    into[0] = at[0]
    lbd_fence()
    return not sequence & 1 and at.sequence == sequence and into.server != 0


cdef inline void write(Entry *at, uint64_t source, uint64_t server, int64_t turn, double start, double seen) noexcept:
    at.sequence |= 1
    lbd_fence()
    at.source, at.server, at.turn, at.start, at.seen = source, server, turn, start, seen
    lbd_fence()
    at.sequence += 1


cdef class SourceTable:
    cdef Board board
    cdef int64_t lane

    def __cinit__(self, Board board not None, int64_t lane):
        if not 0 <= lane < board.lanes:
            raise ValueError(f"the scoreboard has no lane {lane}")
        self.board = board
        self.lane = lane

    cdef Entry *_bucket(self, int64_t lane, uint64_t source) noexcept:
        cdef char *table = self.board.memory + PAGE + lane * lane_size + region
        return <Entry *>table + source % BUCKETS * WAYS

    cdef bint _best(self, uint64_t source, double oldest, Entry *best) noexcept:
        """The entry that counts: the latest turn, of one turn the earliest start."""
        cdef Entry entry
        cdef Entry *bucket
        cdef int64_t lane
        cdef int way
        cdef bint found = False
        for lane in range(self.board.header.lanes_used):
            bucket = self._bucket(lane, source)
            for way in range(WAYS):
                if bucket[way].source != source or not read(bucket + way, &entry):
                    continue
                if entry.source != source or entry.seen < oldest:
                    continue
                if not found or entry.turn > best.turn or (entry.turn == best.turn and entry.start < best.start):
                    best[0] = entry
                    found = True
        return found

    def find(self, uint64_t source, double lifetime):
        cdef Entry best
        if not self._best(source, now() - lifetime, &best):
            return 0
        return best.server

    def put(self, uint64_t source, uint64_t server, double lifetime):
        cdef Entry best
        cdef Entry *bucket = self._bucket(self.lane, source)
        cdef Entry *place = bucket
        cdef double moment = now(), start = moment
        cdef int64_t turn = 0
        cdef int way
        if server == 0:
            raise ValueError("a server's key is not 0")
        if self._best(source, moment - lifetime, &best):
            start, turn = best.start, best.turn
            if best.server != server:
                start, turn = moment, best.turn + 1
        for way in range(WAYS):
            if bucket[way].source == source and bucket[way].server:
                place = bucket + way
                break
            if bucket[way].server == 0 or (place.server != 0 and bucket[way].seen < place.seen):
                place = bucket + way
        write(place, source, server, turn, start, moment)
