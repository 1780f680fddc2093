# cython: boundscheck=False, wraparound=False, cdivision=True
"""The scoreboard: a memfd of C numbers that every process maps; one lane per process, one writer per cell."""

import fcntl
import os

cimport cython
from libc.stdint cimport int64_t
from libc.string cimport memset
from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.unistd cimport close

from lbd.stats.atomic cimport lbd_store, raise_to
from lbd.stats.codes cimport bad, code, mark, observe
from lbd.stats.decay cimport Latency, Weight, copied, merge, sample, weigh

from lbd.errors import no_memory_file
from lbd.stats import endings, fields
from lbd.stats.layout import SHARED as _SHARED, SHARED_MARK as _MARK, arrange, turn as _turn

SERVER, ROUTE, BACKEND, LISTENER, PROCESS = range(5)

cdef int64_t MAGIC = 0x3130424353444C42           # "BLDSCB01"
cdef int64_t SHARED = _SHARED, MARK = _MARK
cdef double DECAY = 10.0                          # seconds, unless `measure` says otherwise
cdef double SLOW = 3.0                            # a failure is a sample of at least so many means of its backend

# Taken from the tables once, at import.
cdef int S_REQUESTS = fields.SERVER_REQUESTS, S_DROPPED = fields.SERVER_DROPPED, S_FAILURES = fields.SERVER_FAILURES
cdef int S_BYTES_IN = fields.SERVER_BYTES_IN, S_BYTES_OUT = fields.SERVER_BYTES_OUT
cdef int S_HEAD_SECONDS = fields.SERVER_HEAD_SECONDS, S_TOTAL_SECONDS = fields.SERVER_TOTAL_SECONDS
cdef int R_REQUESTS = fields.ROUTE_REQUESTS, NO_CODE = len(fields.CODES) - 1, S_SUCCEEDED = fields.SERVER_SUCCEEDED
cdef int R_BYTES_IN = fields.ROUTE_BYTES_IN, R_BYTES_OUT = fields.ROUTE_BYTES_OUT
cdef int B_RESPONSE = fields.BACKEND_RESPONSE, S_RESPONSE = fields.SERVER_RESPONSE
cdef int P_ENDINGS = fields.PROCESS_ENDINGS, TUNNEL_CLOSED = endings.TUNNEL_CLOSED
cdef int ENDINGS = len(endings.ENDINGS), OK = endings.OK, INTERNAL_ERROR = endings.INTERNAL_ERROR

cdef Section sections[KINDS]
cdef int64_t column, lane_size
cdef bint blames_server[64]
cdef int install(lane) except -1:
    """Take over the layout of a lane."""
    global column, lane_size
    if fields.SERVER_IN_FLIGHT or fields.BACKEND_IN_FLIGHT or len(lane.sections) != KINDS or sizeof(Latency) != 64 \
            or not ENDINGS <= endings.ROOM <= 64 or fields.MOST_BOUNDS != MOST_BOUNDS:
        raise ImportError("the fields of lbd.stats do not fit the compiled scoreboard: build lbd again")
    for kind, section in enumerate(lane.sections):
        sections[kind].fields, sections[kind].capacity, sections[kind].stride = section[:3]
        sections[kind].cells, sections[kind].latencies = section[3:]
    column, lane_size = lane.column, lane.size
    for place in range(ENDINGS):
        blames_server[place] = endings.ENDINGS[place].blame == endings.SERVER
    return 0

install(arrange())
LAYOUT = fields.fingerprint()

cdef double frozen = -1.0

cdef double clock() noexcept:
    cdef timespec moment
    if frozen >= 0:
        return frozen
    clock_gettime(CLOCK_MONOTONIC, &moment)
    return <double>moment.tv_sec + <double>moment.tv_nsec * 1e-9

def now(): return clock()

def freeze(seconds):
    global frozen
    frozen = -1.0 if seconds is None else seconds


cdef inline int expect(Row row, int kind) except -1:
    if row is None or row.board is None or row.kind != kind:
        raise ValueError(f"a row of the kind {fields.KINDS[kind].name} is needed here")
    return 0


cdef class Board:
    def __dealloc__(self):
        if self.memory != NULL:
            munmap(self.memory, self.size)
        if self.owner:
            close(self.fd)   # not os.close: at the interpreter's end `os` may be gone before the board

    @staticmethod
    def create(lanes, bounds=fields.RESPONSE_BOUNDS):
        if not 1 <= lanes <= MAX_LANES or not 1 <= len(bounds) <= MOST_BOUNDS:
            raise ValueError(f"a scoreboard has 1 to {MAX_LANES} lanes and histograms of 1 to {MOST_BOUNDS} bounds")
        cdef Board board = Board()
        try:
            board.fd = os.memfd_create("lbd-scoreboard", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError as error:
            raise no_memory_file(error) from None
        board.owner = True
        board.size = PAGE + <int64_t>lanes * lane_size + SHARED
        os.ftruncate(board.fd, board.size)
        fcntl.fcntl(board.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)   # else readers could die
        board._map()
        board.header.layout = LAYOUT
        board.header.lanes = board.lanes = lanes
        board.header.bounds_count = len(bounds)
        for place, bound in enumerate(bounds):
            board.header.bounds[<Py_ssize_t>place] = bound
        board.shared[0] = MARK
        board.header.magic = MAGIC
        return board

    @staticmethod
    def attach(fd):
        cdef Board board = Board()
        board.fd = fd
        board.size = os.fstat(fd).st_size
        if board.size < PAGE + SHARED or not board._map() or board.header.magic != MAGIC:
            raise ValueError(f"descriptor {fd} is no scoreboard")
        if board.header.layout != LAYOUT or board.shared[0] != MARK \
                or board.size != PAGE + board.header.lanes * lane_size + SHARED:
            raise ValueError("the scoreboard was laid out by another version of lbd")
        board.lanes = board.header.lanes
        return board

    cdef int _map(self) except -1:
        cdef void *memory = mmap(NULL, self.size, PROT_READ | PROT_WRITE, MAP_SHARED, self.fd, 0)
        if memory == MAP_FAILED:
            raise OSError(f"the scoreboard cannot be mapped: no room for {self.size} bytes of addresses")
        self.memory = <char *>memory
        self.header = <Header *>memory
        self.shared = <int64_t *>(self.memory + self.size - <size_t>SHARED)
        self.layout = LAYOUT
        return 1

    @property
    def bounds(self):
        return tuple([self.header.bounds[place] for place in range(min(self.header.bounds_count, MOST_BOUNDS))])

    @property
    def per_server(self):
        return self.header.per_server != 0

    @per_server.setter
    def per_server(self, bint wanted):
        self.header.per_server = wanted

    cdef int _check(self, int64_t lane, int kind, int64_t slot, int field) except -1:
        if not 0 <= lane < self.lanes:
            raise IndexError(f"lane {lane} is not among the {self.lanes} of this scoreboard")
        if not 0 <= kind < KINDS:
            raise IndexError(f"no kind of rows has the number {kind}")
        if not 0 <= slot < sections[kind].capacity:
            raise IndexError(f"slot {slot} is not among the {sections[kind].capacity} of its kind")
        if not 0 <= field < sections[kind].fields:
            raise IndexError(f"field {field} is not among the {sections[kind].fields} of its kind")
        return 0

    cdef double *_cell(self, int64_t lane, int kind, int64_t slot, int field) noexcept:
        cdef char *start = self.memory + PAGE + lane * lane_size
        if kind == K_SERVER and field == 0:
            return <double *>(start + column) + slot
        return <double *>(start + sections[kind].cells + slot * sections[kind].stride) + field

    cdef Latency *_latency(self, int64_t lane, int kind, int64_t slot) noexcept:
        if sections[kind].latencies < 0:
            return NULL
        return <Latency *>(self.memory + PAGE + lane * lane_size + sections[kind].latencies) + slot

    def row(self, int lane, int kind, int slot):
        self._check(lane, kind, slot, 0)
        raise_to(&self.header.lanes_used, lane + 1)
        raise_to(&self.header.slots_used[kind], slot + 1)
        cdef Row row = Row()
        row.board = self
        row.header = self.header
        row.kind = kind
        row.slot = slot
        row.first = self._cell(lane, kind, slot, 0)
        row.cells = self._cell(lane, kind, slot, 1) - 1
        row.latency = self._latency(lane, kind, slot)
        return row

    def each(self, int kind, int slot, int field):
        self._check(0, kind, slot, field)
        return [self._cell(lane, kind, slot, field)[0] for lane in range(min(self.header.lanes_used, self.lanes))]

    def total(self, int kind, int slot, int field):
        self._check(0, kind, slot, field)
        return self._total(kind, slot, field)

    def totals(self, int kind, int slot):
        self._check(0, kind, slot, 0)
        return [self._total(kind, slot, field) for field in range(sections[kind].fields)]

    cdef double _total(self, int kind, int64_t slot, int field) noexcept:
        cdef double total = 0
        cdef int64_t lane
        for lane in range(min(self.header.lanes_used, self.lanes)):
            total += self._cell(lane, kind, slot, field)[0]
        return total

    def in_flight(self, int slot):
        self._check(0, K_SERVER, slot, 0)
        return <int64_t>self._total(K_SERVER, slot, 0)

    def latency(self, int slot):
        self._check(0, K_SERVER, slot, 0)
        return self._mean(K_SERVER, slot)

    def mean(self, int slot):
        self._check(0, K_BACKEND, slot, 0)
        return self._mean(K_BACKEND, slot)

    cdef double _mean(self, int kind, int64_t slot) noexcept:
        cdef Latency sums, cell
        cdef double moment = clock()
        cdef int64_t lane
        memset(&sums, 0, sizeof(Latency))
        for lane in range(min(self.header.lanes_used, self.lanes)):
            cell = copied(self._latency(lane, kind, slot))
            merge(&sums, &cell, moment)
        return sums.sum / sums.weight if sums.weight > 0 else -1.0

    def clear(self, int kind, int slot):
        self._check(0, kind, slot, 0)
        cdef int64_t lane
        if kind == K_BACKEND:
            lbd_store(self.shared + <Py_ssize_t>_turn(slot), 0)
        for lane in range(min(self.header.lanes_used, self.lanes)):
            memset(self._cell(lane, kind, slot, 1) - 1, 0, sections[kind].stride)
            self._cell(lane, kind, slot, 0)[0] = 0
            if sections[kind].latencies >= 0:
                memset(self._latency(lane, kind, slot), 0, sizeof(Latency))

    def clear_gauges(self, int lane):
        self._check(lane, 0, 0, 0)
        cdef int64_t slot
        cdef int kind, field
        cdef Latency *latency
        if lane >= self.header.lanes_used:
            return
        for kind in range(KINDS):
            gauges = [field for field, what in enumerate(fields.KINDS[kind].fields) if what.gauge]
            for slot in range(min(self.header.slots_used[kind], sections[kind].capacity)):
                for field in gauges:
                    self._cell(lane, kind, slot, field)[0] = 0
                latency = self._latency(lane, kind, slot)
                if latency != NULL and latency.sequence & 1:      # killed in the middle: no reader need try again
                    lbd_store(&latency.sequence, latency.sequence + 1)


cdef class Row:
    def __cinit__(self):
        self.measure(DECAY, False)

    cdef double *_cell(self, int field) except NULL:
        if self.board is None or not 0 <= field < sections[self.kind].fields:
            raise IndexError(f"field {field} is not of this kind of rows")
        return self.cells + field if field else self.first

    cpdef void add(self, int field, double amount) except *:
        self._cell(field)[0] += amount

    cpdef void both(self, int first, int second) except *:
        self._cell(first)[0] += 1
        self._cell(second)[0] += 1

    def get(self, int field): return self._cell(field)[0]

    def set(self, int field, double value): self._cell(field)[0] = value

    def learn(self, double seconds):
        if self.latency != NULL:
            sample(self.latency, seconds, weigh(clock(), self.decay))

    def measure(self, double decay, bint last_byte, failing=endings.FAILING):
        if not 0.001 <= decay <= 1e6:
            raise ValueError(f"decay is 0.001 to 1000000 seconds, not {decay}")
        self.decay, self.last_byte = decay, last_byte
        mark(self.failing, failing)


@cython.freelist(64)
cdef class Record:
    def __init__(self, Row process not None):
        expect(process, K_PROCESS)
        self.process = process

    cpdef void begin(self, Row route, Row backend) except *:
        expect(route, K_ROUTE)
        if backend is not None and backend.kind == K_PROCESS:
            backend = None
        elif backend is not None:
            expect(backend, K_BACKEND)
        if self.route is not None:
            self.finish(INTERNAL_ERROR, 0, 0)
        self.route = route
        self.backend = backend
        self.status = self.answered = self.drops = 0
        self.chosen = self.reached = self.headed = 0
        if backend is not None:
            backend.first[0] += 1
        self.started = clock()

    def reroute(self, Row route not None, Row backend):
        cdef double started = self.started
        if self.route is not None and self.server is None:
            if self.backend is not None:
                self.backend.first[0] -= 1
            self.route = self.backend = None
            self.begin(route, backend)
            self.started = started

    cpdef void took(self, Row server) except *:
        expect(server, K_SERVER)
        if self.backend is None:
            return
        if self.server is not None:
            self.dropped(False)
        server.first[0] += 1
        self.server = server
        self.taken = clock()
        self.reached = 0
        if not self.drops:
            self.chosen = self.taken

    cpdef void connected(self) noexcept:
        self.reached = clock()

    cpdef void dropped(self, bint failed) noexcept:
        cdef Row server = self.server
        if server is None:
            return
        server.first[0] -= 1
        server.cells[S_DROPPED] += 1
        self.drops += 1
        if failed:
            self._failed(clock())
        self.server = None
        self.status = self.answered = 0

    cpdef void head(self, int status) noexcept:
        if self.server is None or self.answered:
            return
        cdef double moment = clock()
        self.headed = moment
        self.status = self.answered = status
        self.server.cells[S_HEAD_SECONDS] += moment - self.taken
        if not bad(status, self.backend.failing) and not self.backend.last_byte:
            self._good(moment)

    cpdef void finish(self, int ending, long long bytes_in, long long bytes_out) noexcept:
        cdef Row route = self.route, backend = self.backend, server = self.server
        if route is None:
            return
        cdef double moment = clock()
        cdef Header *header = route.header
        self.ended = moment
        ending = ending if 0 <= ending < ENDINGS else INTERNAL_ERROR
        self.process.cells[P_ENDINGS + ending] += 1
        route.cells[R_REQUESTS + code(self.status, NO_CODE)] += 1
        route.cells[R_BYTES_IN] += max(bytes_in, 0)
        route.cells[R_BYTES_OUT] += max(bytes_out, 0)
        if server is not None:
            server.first[0] -= 1
            server.cells[S_REQUESTS + code(self.answered, NO_CODE)] += 1
            server.cells[S_BYTES_IN] += max(bytes_in, 0)
            server.cells[S_BYTES_OUT] += max(bytes_out, 0)
            server.cells[S_TOTAL_SECONDS] += moment - self.taken
            if header.per_server and self.answered:
                observe(server.cells + S_RESPONSE, header.bounds, header.bounds_count, moment - self.taken)
            if blames_server[ending] or bad(self.answered, backend.failing):
                self._failed(moment)
            elif self.answered or ending == TUNNEL_CLOSED:      # in tcp mode nothing else says that all was well
                server.cells[S_FAILURES] = 0
                server.cells[S_SUCCEEDED] = moment
                if ending == OK and backend.last_byte:
                    self._good(moment)
        if backend is not None:
            backend.first[0] -= 1
            if self.answered:
                observe(backend.cells + B_RESPONSE, header.bounds, header.bounds_count, moment - self.started)
        self.route = self.backend = self.server = None

    cdef void _good(self, double moment) noexcept:
        cdef Weight weight = weigh(moment, self.backend.decay)
        sample(self.server.latency, moment - self.taken, weight)
        sample(self.backend.latency, moment - self.taken, weight)

    cdef void _failed(self, double moment) noexcept:
        """A slow sample, for the server alone: the mean of the backend must not grow by multiples of itself."""
        cdef double slow = SLOW * self.backend.board._mean(K_BACKEND, self.backend.slot)
        self.server.cells[S_FAILURES] += 1
        sample(self.server.latency, max(moment - self.taken, slow), weigh(moment, self.backend.decay))


cpdef Record new_record(Row process):
    cdef Record made = Record.__new__(Record)
    expect(process, K_PROCESS)
    made.process = process
    return made
