"""The layout of a connection, for the kernel that makes them."""

from libc.stdint cimport uint32_t

from lbd.net.carrier cimport Carrier
from lbd.net.epoll cimport Watched


cdef enum:              # what a connection is in the middle of
    CONNECTING = 1      # the kernel has not said yet whether it is connected
    MADE_DUE = 2        # connected at once: connection_made comes from the set
    PAUSED = 4          # the protocol wants no data
    ENDED = 8           # the peer's FIN was read
    CLOSING = 16        # close() was called
    EOF_DUE = 32        # write_eof() was called
    FULL = 64           # pause_writing was called
    BROKEN = 128        # a write failed; what the peer sent before is still read
    LOST = 256          # the descriptor is closed, connection_lost is due
    TOLD = 512          # connection_lost was called
    SHARED = 1024       # a duplicate of the descriptor was handed out
    BULK = 2048         # the last read was a long one
    HELD = 8192         # what it carries is too much for the other connection now
    FED = 16384         # bytes wait for it outside of its own queue
    DEAF = PAUSED | ENDED | CLOSING | HELD      # states that do not read
    YOUNG = CONNECTING | MADE_DUE               # states before connection_made
    MUTE = CLOSING | EOF_DUE | BROKEN | LOST    # states that ignore writes
    LAST = 32768        # what is sent now is the last: the FIN may go with it
    BUSY = 4096         # not registered yet: the protocol has all that it waits for, and has not answered yet


cdef class Sock(Watched):
    cdef object protocol
    cdef object exc             # for connection_lost
    cdef readonly bytes source  # of an accepted connection: the peer's address as text, b"" for a Unix socket
    cdef list queue             # bytes not yet sent, oldest first; None when there are none
    cdef Py_ssize_t sent        # bytes of the first of them that are sent
    cdef Py_ssize_t queued      # bytes in all of them that are not
    cdef Py_ssize_t high, low
    cdef uint32_t state
    cdef Carrier carrier        # takes what is received, in place of the protocol
    cdef Carrier feeder         # brings what is sent
    cdef readonly long long passed      # bytes that were carried away from here
    cdef readonly double idle_since     # when bytes came or went last, by the clock of the set

    cpdef void write(self, data) except *
    cdef int send(self, bytes piece) except -1
    cdef Py_ssize_t receive(self) except -1
    cdef int flush(self) except -1
    cdef int flushed(self) except -1
    cdef int finish_writing(self) except -1
    cdef int write_failed(self, int number) except -1
    cdef int hung_up(self) except -1
    cdef int connected(self) except -1
    cdef int announce(self) except -1
    cdef int separate(self) except -1
    cdef int lose(self, object exc) except -1
    cdef int raised(self, object exc) except -1
