# cython: boundscheck=False, wraparound=False
"""A tunnel below its protocols: bytes go from one connection to the other by recv and send, long streams by splice(2).

Short exchanges are cheaper by recv and send: splice doubles the system calls. Long ones are cheaper by splice: the
bytes never come here. Pipes are pooled, and are taken only while bytes are on their way.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport EAGAIN, EINTR, errno

from lbd.net cimport linux
from lbd.net.carrier cimport Carrier
from lbd.net.epoll cimport READ
from lbd.net.linux cimport MSG_NOSIGNAL, SPLICE_F_MOVE, SPLICE_F_NONBLOCK
from lbd.net.stream cimport FED, HELD, LOST, MUTE, YOUNG, Sock

cdef enum:
    LONG = 65536            # bytes of a read that may belong to a long stream
    STREAK = 4              # such reads in a row that make one
    SHORT = 8               # turns with less in a row that end it
    PIPE = 262144           # bytes of a pipe, where the system's limits allow it
    TURN = 1048576          # bytes of one turn
    SPARE = 64              # empty pipes that are kept
    MOST = 512              # pipes at a time; beyond, everything is copied

cdef int pool[SPARE][2]
cdef int spare = 0, open_pipes = 0


@cython.final
cdef class Relay(Carrier):
    """A direction of a tunnel. `held` bytes wait in its pipe until the sink takes more."""

    cdef Sock source, sink
    cdef int fds[2]
    cdef bint piped
    cdef int streak, shorts
    cdef readonly long long passed

    cdef Py_ssize_t carry(self) except? -9999:
        """Move what the source has; returns as recv(2) does, an error of the source as -errno."""
        cdef Sock source = self.source, sink = self.sink
        cdef char *buffer = source.owner.buffer
        cdef Py_ssize_t n, m = 0
        if self.streak >= STREAK and sink.queue is None and not sink.state & (MUTE | YOUNG) \
                and (self.piped or self.open()):
            return self.pour()
        n = linux.recv(source.fd, buffer, READ, 0)
        if n <= 0:
            return -errno if n < 0 else 0
        self.streak = self.streak + 1 if n >= LONG else 0
        self.passed += n
        source.passed += n
        source.idle_since = sink.idle_since = source.owner.now
        if sink.queue is None and not sink.state & (MUTE | YOUNG):
            m = linux.send(sink.fd, buffer, n, MSG_NOSIGNAL)
            if m < 0:
                if errno != EAGAIN and errno != EINTR:
                    sink.write_failed(errno)
                    return n
                m = 0
        if m < n:
            sink.write(PyBytes_FromStringAndSize(buffer + m, n - m))
        return n

    cdef Py_ssize_t pour(self) except? -9999:
        """Through the pipe, until the source has no more or the sink is full."""
        cdef Sock source = self.source, sink = self.sink
        cdef Py_ssize_t n = 0, total = 0
        while total < TURN:
            n = linux.splice(source.fd, NULL, self.fds[1], NULL, PIPE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            if n <= 0:
                if n < 0:
                    n = -errno
                break
            total += n
            self.held += n
            self.passed += n
            source.passed += n
            if self.push() < 0 or self.held:
                break
        if total:
            source.idle_since = sink.idle_since = source.owner.now
        if self.held:
            source.state |= HELD
            sink.state |= FED
            sink.arm()
            source.arm()
            return total
        self.shorts = self.shorts + 1 if total < LONG else 0
        if self.shorts >= SHORT:
            self.streak = self.shorts = 0
        self.shut()
        return total if total else n

    cdef int push(self) except -2:
        """From the pipe to the sink, as much as that takes; -1 when the sink is broken, and what was held is gone."""
        cdef Sock sink = self.sink
        cdef Py_ssize_t n
        cdef int failure
        while self.held:
            n = linux.splice(self.fds[0], NULL, sink.fd, NULL, self.held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            if n < 0 and errno == EINTR:
                continue
            if n < 0 and errno == EAGAIN:
                return 0
            if n <= 0:
                failure = errno
                self.drop()
                sink.write_failed(failure)
                return -1
            self.held -= n
        return 0

    cdef int drain(self) except -1:
        """The sink takes more."""
        cdef Sock sink = self.sink
        cdef Py_ssize_t before = self.held
        self.push()
        if self.held < before:
            sink.idle_since = sink.owner.now
        if not self.held:
            self.ease()
        return 0

    cdef int ease(self) except -1:
        """Nothing is held any more: both go on."""
        cdef Sock source = self.source, sink = self.sink
        self.shut()
        if sink is not None:
            sink.state &= ~FED
            if source is None:
                self.sink = sink.feeder = None
            sink.flushed()
        if source is not None and source.state & HELD:
            source.state &= ~HELD
            source.arm()
        return 0

    cdef int source_lost(self) except -1:
        """Send the held bytes to the sink."""
        self.source = None
        if not self.held:
            self.shut()
            if self.sink is not None:
                self.sink.feeder = None
                self.sink = None
        return 0

    cdef int sink_lost(self) except -1:
        """Nobody takes it any more; its protocol will end the source."""
        self.drop()
        self.sink = None
        if self.source is not None:
            self.source.carrier = None
            if self.source.state & HELD:
                self.source.state &= ~HELD
                self.source.arm()
            self.source = None
        return 0

    cdef bint open(self) noexcept:
        """Take a pipe; False where there is none to have."""
        global spare, open_pipes
        if spare:
            spare -= 1
            self.fds[0], self.fds[1] = pool[spare][0], pool[spare][1]
        elif open_pipes >= MOST or linux.pipe2(self.fds, linux.O_NONBLOCK | linux.O_CLOEXEC) < 0:
            self.streak = 0
            return False
        else:
            open_pipes += 1
            linux.fcntl(self.fds[1], linux.F_SETPIPE_SZ, PIPE)
        self.piped = True
        return True

    cdef void shut(self) noexcept:
        """Give the pipe back, which is empty."""
        global spare
        if self.piped and spare < SPARE:
            self.piped = False
            pool[spare][0], pool[spare][1] = self.fds[0], self.fds[1]
            spare += 1
        else:
            self.drop()

    cdef void drop(self) noexcept:
        """Close the pipe, with what is in it."""
        global open_pipes
        self.held = 0
        if self.piped:
            self.piped = False
            open_pipes -= 1
            linux.close(self.fds[0])
            linux.close(self.fds[1])

    def __dealloc__(self):
        self.drop()


def relay(Sock source not None, Sock sink not None):
    """Send the data that the source receives from now on to the sink; the protocols hear of its end and errors only.

    Returns the pump, whose `passed` counts the bytes (as `source.passed` does); None where one of them is closed, or
    carries already.
    """
    cdef Relay way
    if (source.state | sink.state) & LOST or source.carrier is not None or sink.feeder is not None or source is sink:
        return None
    way = Relay.__new__(Relay)
    way.source, way.sink = source, sink
    source.carrier = sink.feeder = way
    return way


def pipes():
    """How many pipes there are, and how many of them are unused."""
    return open_pipes, spare
