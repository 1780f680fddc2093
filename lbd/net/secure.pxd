"""The layout of a connection with TLS, for kernels that write to one."""


cdef enum:              # what a connection is in the middle of
    SECURED = 1         # the handshake is done
    SERVER = 2          # the connection was accepted
    PAUSED = 4          # the protocol wants no data
    FULL = 8            # the transport below wants no data
    HELD = 16           # nothing is read, since replies of TLS itself cannot be sent
    PARTIAL = 32        # OpenSSL has the beginning of a record
    ENDED = 64          # the peer sends no more
    NOTIFIED = 128      # close_notify was sent
    CLOSING = 256       # close() or abort() was called, or the connection is broken
    WAITING = 512       # for the limiter of handshakes
    LENIENT = 1024      # a server's FIN between two records is its end
    ASKED = 2048        # the peer sent data behind its handshake

cdef enum:
    RECORD = 16384      # bytes of a record's content (RFC 8446 5.1)
    FEED = 32768        # bytes put into OpenSSL's memory at a time, which keeps room for what it once held
    BATCH = 16          # records of one write


cdef class Secure:
    cdef object protocol, transport, context, tls, engine, incoming, outgoing, exc, client_tls, refusal, limiter
    cdef str name
    cdef bytes held
    cdef list early
    cdef int state
    cdef Py_ssize_t late        # bytes of tickets that go with the first data

    cdef Py_ssize_t waiting(self) except -1
    cdef int begin(self) except -1
    cdef bint greeted(self, bytes data) except -1
    cdef int shake(self) except -1
    cdef int decrypt(self, bytes data) except -1
    cdef int replied(self) except -1
    cdef int flush(self) except -1
    cdef int notify(self) except -1
    cdef int fail(self, object exc) except -1
