# cython: boundscheck=False, wraparound=False
"""The epoll set of one worker: a level-triggered set inside the loop's own, with bounded work per wake-up."""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.exc cimport PyErr_SetObject, PyErr_WriteUnraisable
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_CLEAR
from libc.errno cimport errno
from libc.stdint cimport uint32_t, uint64_t

from lbd.net cimport linux
from lbd.net.linux cimport EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN, epoll_event, error

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *data, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject **data, Py_ssize_t size) except -1

cdef enum:
    EVENTS = 256        # events of one turn; the loop calls again when there are more
    SETTLED = 4096      # deferred callbacks of one turn
    CLOSING = 16        # rounds in which close() closes what its callbacks open
    ROUND = 4           # turns after which what is busy since the round before is registered after all
    STARVED_MS = 100    # after which what lacked a descriptor is tried again, unless one became free before

cdef uint64_t BELL = <uint64_t> -1


cdef long now_ms() noexcept:
    cdef linux.timespec now
    linux.clock_gettime(linux.CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec // 1000000


cdef class Watched:
    """A descriptor in the set."""

    def __cinit__(self):
        self.fd = -1

    cdef int adopt(self, Epoll owner, int fd) except -1:
        """Belong to `owner` from now on, by this descriptor; it is not registered yet."""
        cdef list table = owner.table
        while fd >= len(table):
            table.extend([None] * (len(table) + 64))
        self.owner = owner
        self.fd = fd
        owner.turns = self.turn = owner.turns + 1
        table[fd] = self
        return 0

    cdef int ready(self, uint32_t events) except -1:
        """Events of this descriptor."""
        return 0

    cdef int settle(self) except -1:
        """Make the callbacks that were put off."""
        return 0

    cdef int arm(self) except -1:
        """Register for what it waits for."""
        return 0

    cdef int relieve(self) except -1:
        """A descriptor became free."""
        return 0

    cdef int discard(self) except -1:
        """The set is closing."""
        return 0

    cdef int watch(self, uint32_t mask) except -1:
        """Register for these events; the kernel adds errors and hang-ups."""
        cdef epoll_event event
        if self.registered and mask == self.mask:
            return 0
        event.events = mask
        event.data.u64 = (<uint64_t> self.turn << 32) | <uint32_t> self.fd
        if linux.epoll_ctl(self.owner.epoll, EPOLL_CTL_MOD if self.registered else EPOLL_CTL_ADD, self.fd, &event) < 0:
            raise error(errno)
        self.mask = mask
        self.registered = True
        return 0

    cdef void unwatch(self) noexcept:
        cdef epoll_event event
        if self.registered:
            linux.epoll_ctl(self.owner.epoll, EPOLL_CTL_DEL, self.fd, &event)
            self.registered = False

    cdef int release(self) except -2:
        """Leave the set's table; the descriptor, which is the caller's to close. Closing it unregisters it."""
        cdef int fd = self.fd
        self.owner.table[fd] = None
        self.fd = -1
        self.registered = False
        return fd


cdef class Epoll:
    """The set. Register `fileno()` with the loop as a reader, and `run` as its callback.

    `failed(exception, source)` is told of what callbacks raise; without it `sys.unraisablehook` is. OSError where
    there is no descriptor for the set.
    """

    def __cinit__(self, *args, **kwargs):
        self.epoll = self.bell = -1
        self.events = PyMem_Malloc(EVENTS * sizeof(epoll_event))
        self.buffer = <char *> PyMem_Malloc(READ)
        if self.events == NULL or self.buffer == NULL:
            raise MemoryError()

    def __init__(self, failed=None):
        cdef epoll_event event
        if self.epoll >= 0:
            raise RuntimeError("already initialised")
        self.table = []
        self.later = []
        self.fresh = []
        self.older = []
        self.starved = []
        self.failed = failed
        self.look_at_clock()
        self.epoll = linux.epoll_create1(linux.EPOLL_CLOEXEC)
        self.bell = linux.eventfd(0, linux.EFD_NONBLOCK | linux.EFD_CLOEXEC)
        event.events = EPOLLIN
        event.data.u64 = BELL
        if self.epoll < 0 or self.bell < 0 or linux.epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.bell, &event) < 0:
            raise error(errno)

    def __dealloc__(self):
        if self.bell >= 0:
            linux.close(self.bell)
        if self.epoll >= 0:
            linux.close(self.epoll)
        PyMem_Free(self.events)
        PyMem_Free(self.buffer)

    def fileno(self):
        """The descriptor that becomes readable when `run` has work; -1 once closed."""
        return self.epoll

    def run(self):
        """Run one turn: at most 256 events, then the callbacks that were put off. It never waits."""
        cdef epoll_event *events = <epoll_event *> self.events
        cdef int n, i
        cdef uint32_t fd
        cdef Watched one
        if self.running or self.epoll < 0:
            return
        n = linux.epoll_wait(self.epoll, events, EVENTS, 0)
        self.look_at_clock()
        self.running = True
        try:
            for i in range(n):
                if events[i].data.u64 == BELL:
                    self.silence()
                    continue
                fd = <uint32_t> events[i].data.u64
                one = <Watched> self.table[fd] if fd < <size_t> len(self.table) else None
                # A descriptor closed earlier in this batch may have a successor of the same number: it is passed over.
                if one is not None and one.turn == <uint32_t> (events[i].data.u64 >> 32):
                    self.serve(one, events[i].events)
            self.settle()
            self.round += 1
            if self.round >= ROUND:
                self.turn_round()
            if self.starved and now_ms() - self.starved_ms >= STARVED_MS:
                self.relieve()
        finally:
            self.running = False
            if self.later:
                self.ring()

    def tick(self):
        """Register what is still busy; to be called a few times a second, also where nothing happens."""
        if not self.running:
            self.look_at_clock()
            self.turn_round()

    def close(self):
        """Close everything in the set, then the set; every connection_lost is called before it returns."""
        if self.epoll < 0 or self.running:
            raise RuntimeError("an epoll set closes once, and not from one of its callbacks")
        self.running = True
        try:
            # Connections that a connection_lost opens close in the next round; one that never stops is left behind.
            for _ in range(CLOSING):
                for one in [one for one in self.table if one is not None]:
                    (<Watched> one).discard()
                self.settle()
        finally:
            self.running = False
            linux.close(self.bell)
            linux.close(self.epoll)
            self.bell = self.epoll = -1

    cdef void look_at_clock(self) noexcept:
        """Set `now`, to some milliseconds: of one turn all has the same, which costs nothing for each connection."""
        cdef linux.timespec now
        linux.clock_gettime(linux.CLOCK_MONOTONIC_COARSE, &now)
        self.now = now.tv_sec + now.tv_nsec * 1e-9

    cdef object join(self, Watched source, Watched sink):
        """A pump that moves what the source receives to the sink; None where there is none."""
        return None

    cdef int turn_round(self) except -1:
        """Register what has been busy for a whole round, so that its end is noticed."""
        cdef list busy = self.older
        self.older = self.fresh
        self.fresh = []
        self.round = 0
        for one in busy:
            try:
                (<Watched> one).arm()
            except Exception as exc:
                self.report(exc, one)
                (<Watched> one).discard()
        return 0

    cdef int settle(self) except -1:
        """Callbacks that were put off, and those that they put off in turn, in order."""
        cdef Py_ssize_t i = 0
        if not self.later:
            return 0
        try:
            while i < len(self.later) and i < SETTLED:
                i += 1
                (<Watched> self.later[i - 1]).settle()
        finally:
            if i == len(self.later):
                self.later.clear()      # most often all: a slice of it costs ten times as much
            else:
                del self.later[:i]
        return 0

    cdef int starve(self, Watched one) except -1:
        """Have `one.relieve()` called when a descriptor may be free."""
        self.starved.append(one)
        self.starved_ms = now_ms()
        return 0

    cdef int relieve(self) except -1:
        cdef list waiting = self.starved
        self.starved = []
        for one in waiting:
            (<Watched> one).relieve()
        return 0

    cdef int put_off(self, Watched one) except -1:
        """Have `one.settle()` called at the end of this turn, or in one that begins soon."""
        self.later.append(one)
        if not self.running:
            self.ring()
        return 0

    cdef int ring(self) except -1:
        cdef uint64_t one = 1
        if not self.rung and self.bell >= 0:
            self.rung = True
            linux.write(self.bell, &one, sizeof(one))
        return 0

    cdef Py_ssize_t fetch(self, int fd, bint bulk, PyObject **data) except? -9999:
        """recv(2) of at most READ bytes into new bytes, NULL unless the result is positive; an error is -errno.

        `bulk` takes room for a whole read at once and saves the copy: a tenth of the cost of long bodies.
        """
        cdef Py_ssize_t n
        if not bulk:
            n = linux.recv(fd, self.buffer, READ, 0)
            if n > 0:
                data[0] = PyBytes_FromStringAndSize(self.buffer, n)
            return n if n >= 0 else -errno
        data[0] = PyBytes_FromStringAndSize(NULL, READ)
        n = linux.recv(fd, PyBytes_AS_STRING(<object> data[0]), READ, 0)
        if n < 0:
            n = -errno
        if n > 0:
            _PyBytes_Resize(data, n)
        else:
            Py_CLEAR(data[0])
        return n

    cdef int serve(self, Watched one, uint32_t events) except -1:
        try:
            one.ready(events)
        except Exception as exc:
            # No memory, or no room in the set: what it hit is given up, and the turn goes on.
            self.report(exc, one)
            one.discard()
        return 0

    cdef int silence(self) except -1:
        cdef uint64_t count
        self.rung = False
        linux.read(self.bell, &count, sizeof(count))
        return 0

    cdef int report(self, object exc, object source) except -1:
        """A callback raised: tell the hook. Without one, or if it raises, sys.unraisablehook gets it."""
        try:
            if self.failed is not None:
                self.failed(exc, source)
                return 0
        except Exception as raised:
            exc = raised
        PyErr_SetObject(type(exc), exc)
        PyErr_WriteUnraisable(source)
        return 0
