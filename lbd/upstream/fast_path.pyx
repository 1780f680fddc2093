# cython: boundscheck=False, wraparound=False
"""The fast path: a plain request and its whole answer, on connections that stand, without the interpreter.

It does what `Client.receive` and `Upstream.receive` do there, step by step, and leaves everything else to them.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.string cimport memcmp

from lbd.http.head cimport Request, Response
from lbd.http.lines cimport F_KEEP, F_SIMPLE, F_WHOLE
from lbd.net.stream cimport Sock
from lbd.stats.scoreboard cimport Record, Row

from lbd.http import head
from lbd.stats import endings

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t slot_offset(PyObject *found) {
        PyMemberDef *member = Py_IS_TYPE(found, &PyMemberDescr_Type) ? ((PyMemberDescrObject *)found)->d_member : NULL;
        return member != NULL && member->type == T_OBJECT_EX ? member->offset : -1;
    }
    """
    Py_ssize_t slot_offset(object found)
    PyTypeObject *Py_TYPE(object o)


@cython.final
cdef class _Attribute:
    """An attribute of Python objects. For the two classes seen last, a slot is read and written at its offset; an
    attribute without a slot, by name."""

    cdef str name
    cdef object kind, kind_before       # kept, lest another class comes to lie where they lay
    cdef PyTypeObject *last
    cdef PyTypeObject *before
    cdef Py_ssize_t at

    def __init__(self, str name):
        self.name = name

    cdef inline PyObject **place(self, object owner) except? NULL:
        if Py_TYPE(owner) != self.last and Py_TYPE(owner) != self.before and not self.learn(type(owner)):
            return NULL
        return <PyObject **>(<char *><PyObject *>owner + self.at)

    cdef bint learn(self, object kind) except -1:
        """Whether it is in a slot there."""
        cdef Py_ssize_t at = slot_offset(getattr(kind, self.name, None))
        if at < 0:
            return False
        self.kind_before = self.kind if at == self.at else None
        self.kind, self.at = kind, at
        self.before = <PyTypeObject *><PyObject *>self.kind_before
        self.last = <PyTypeObject *><PyObject *>self.kind
        return True

    cdef inline object of(self, object owner):
        cdef PyObject **place = self.place(owner)
        if place != NULL and place[0] != NULL:
            return <object>place[0]
        return getattr(owner, self.name)

    cdef inline int put(self, object owner, object value) except -1:
        cdef PyObject **place = self.place(owner)
        cdef PyObject *before
        if place == NULL:
            setattr(owner, self.name, value)
            return 0
        before = place[0]
        Py_INCREF(value)
        place[0] = <PyObject *>value
        Py_XDECREF(before)
        return 0


# Of the client's side
cdef _Attribute ACTION = _Attribute("action"), ORIGINAL = _Attribute("original"), BACKEND = _Attribute("backend")
cdef _Attribute BUFFER = _Attribute("buffer"), BYTES_IN = _Attribute("bytes_in"), BYTES_OUT = _Attribute("bytes_out")
cdef _Attribute CONGESTED = _Attribute("congested"), DEADLINE = _Attribute("deadline"), KEEP = _Attribute("keep")
cdef _Attribute HEAD_ONLY = _Attribute("head_only"), LISTENER = _Attribute("listener"), MINOR = _Attribute("minor")
cdef _Attribute PAYLOAD = _Attribute("payload"), PEER = _Attribute("peer"), PLANE = _Attribute("plane")
cdef _Attribute PINS = _Attribute("pins"), TO_OWNER = _Attribute("owner")
cdef _Attribute RECORD = _Attribute("record"), RESPONSE_EDITS = _Attribute("response_edits"), SENT = _Attribute("sent")
cdef _Attribute SERVER = _Attribute("server"), STATE = _Attribute("state"), TRANSPORT = _Attribute("transport")
cdef _Attribute TRIED = _Attribute("tried"), TRUSTED = _Attribute("trusted"), UPGRADE = _Attribute("upgrade")
cdef _Attribute UPSTREAM = _Attribute("upstream"), WHOLE = _Attribute("whole")
# Of the server's side
cdef _Attribute TO_BUFFER = _Attribute("buffer"), TO_CLIENT = _Attribute("client"), TO_FULL = _Attribute("full")
cdef _Attribute TO_KEEP = _Attribute("keep"), TO_MODE = _Attribute("mode"), TO_RESPONSE = _Attribute("response")
cdef _Attribute TO_SERVER = _Attribute("server"), TO_SINCE = _Attribute("since"), TO_TRANSPORT = _Attribute("transport")
cdef _Attribute TO_TURNS = _Attribute("turns")
# Of what both meet
cdef _Attribute SETTINGS = _Attribute("settings"), LEAVING = _Attribute("leaving"), ROUTE = _Attribute("route")
cdef _Attribute REQUEST = _Attribute("request"), PROTO = _Attribute("proto"), CLIENT_IDLE = _Attribute("client_idle")
cdef _Attribute PLAIN = _Attribute("plain"), ACTION_ROW = _Attribute("row"), ACTION_BACKEND = _Attribute("backend")
cdef _Attribute ACTION_EDITS = _Attribute("response_edits")
cdef _Attribute STICKY = _Attribute("sticky"), BACKEND_ROW = _Attribute("row"), DIRECT = _Attribute("direct")
cdef _Attribute TOOK = _Attribute("took"), DROPPED = _Attribute("dropped"), SERVER_TIMEOUT = _Attribute("server_timeout")
cdef _Attribute SERVER_ROW = _Attribute("row"), RESTING = _Attribute("idle"), GONE = _Attribute("gone")
cdef _Attribute MAX_IDLE = _Attribute("max_idle"), MAX_TURNS = _Attribute("max_turns")
cdef _Attribute NOW = _Attribute("now"), ACCESS = _Attribute("access")

cdef object client_kind = None           # no subclass of it: those have ways of their own
cdef object IDLE, WAIT, REST, AWAITING
cdef tuple IDEMPOTENT
cdef object OK = endings.OK
cdef int ENDED_WELL = endings.OK


def serve(kind, idle, wait, rest, awaiting, idempotent):
    global client_kind, IDLE, WAIT, REST, AWAITING, IDEMPOTENT
    client_kind, IDLE, WAIT, REST, AWAITING, IDEMPOTENT = kind, idle, wait, rest, awaiting, idempotent


@cython.binding(True)      # a method of the class that takes it
def request(client, bytes data not None):
    cdef int flags
    if type(client) is not client_kind or STATE.of(client) is not IDLE or BUFFER.of(client) or PINS.of(client) is not None:
        return client.receive(data)
    listener = LISTENER.of(client)
    settings = SETTINGS.of(listener)
    scanner = REQUEST.of(settings)
    record = RECORD.of(client)
    if type(scanner) is not Request or type(record) is not Record:
        return client.receive(data)
    flags = (<Request>scanner).read(data, 0, PEER.of(client), PROTO.of(settings), TRUSTED.of(client))
    if flags >= F_SIMPLE:
        action = ROUTE.of(settings)(scanner)
        backend = ACTION_BACKEND.of(action)
        if PLAIN.of(action) and STICKY.of(backend) is None:
            ACTION.put(client, action)
            BACKEND.put(client, backend)
            KEEP.put(client, flags == F_SIMPLE | F_WHOLE | F_KEEP and not LEAVING.of(listener))
            BYTES_IN.put(client, PyBytes_GET_SIZE(data))
            RESPONSE_EDITS.put(client, ACTION_EDITS.of(action))
            PAYLOAD.put(client, (<Request>scanner).out)
            (<Record>record).open(<Row?>ACTION_ROW.of(action), <Row?>BACKEND_ROW.of(backend))
            dispatch(client, backend, <Record>record, (<Request>scanner).out)
            return WHOLE.of(client)
    client.judge(flags, data)
    if BUFFER.of(client) and STATE.of(client) is IDLE:
        client.advance()
    return WHOLE.of(client)


cdef int dispatch(object client, object backend, Record record, bytes payload) except -1:
    """Send the request to a server, on the connection that rests last, or leave it to the client."""
    MINOR.put(client, 1)
    HEAD_ONLY.put(client, False)
    UPGRADE.put(client, False)
    WHOLE.put(client, True)
    SENT.put(client, True)
    BYTES_OUT.put(client, 0)
    ORIGINAL.put(client, b"")
    server = DIRECT.of(backend)(client)
    if server is None:
        server = client.select()
        if server is None:
            return 0
    SERVER.put(client, server)
    record.take(<Row?>SERVER_ROW.of(server))
    took = TOOK.of(backend)
    if took is not None:
        took(server)
    resting = RESTING.of(server)
    if not resting or not (memcmp(PyBytes_AS_STRING(payload), b"GET ", 4) == 0 or payload.startswith(IDEMPOTENT)):
        client.forward(server)
        return 0
    upstream = (<dict?>resting).popitem()[0]
    TO_CLIENT.put(upstream, client)
    TO_MODE.put(upstream, AWAITING)
    TO_TURNS.put(upstream, TO_TURNS.of(upstream) + 1)
    write(TO_TRANSPORT.of(upstream), payload)
    UPSTREAM.put(client, upstream)
    STATE.put(client, WAIT)
    DEADLINE.put(client, <double>NOW.of(PLANE.of(client)) + <double>SERVER_TIMEOUT.of(backend))
    return 0


@cython.binding(True)      # a method of the class that takes it
def answer(upstream, bytes data not None):
    cdef int flags
    cdef bytes out
    client = TO_CLIENT.of(upstream)
    if type(client) is not client_kind or TO_MODE.of(upstream) is not AWAITING or TO_BUFFER.of(upstream):
        upstream.receive(data)
        return
    scanner = TO_RESPONSE.of(upstream)
    record = RECORD.of(client)
    if type(scanner) is not Response or type(record) is not Record:
        upstream.receive(data)
        return
    flags = (<Response>scanner).read(data, 0, HEAD_ONLY.of(client), MINOR.of(client), KEEP.of(client) and SENT.of(client))
    if flags < F_SIMPLE:
        upstream.unusual(client, flags, data)
        return
    if (<Response>scanner).status in (401, 407) or TO_OWNER.of(upstream) is not None:
        upstream.receive(data)
        return
    (<Record>record).answer((<Response>scanner).status)
    out = (<Response>scanner).out
    edits = RESPONSE_EDITS.of(client)
    if edits is not None:
        out = head.edit(out, None, *edits)
    write(TRANSPORT.of(client), out)
    BYTES_OUT.put(client, PyBytes_GET_SIZE(out))
    TO_KEEP.put(upstream, flags & F_KEEP != 0)
    server = TO_SERVER.of(upstream)
    resting = RESTING.of(server)
    if (not flags & F_KEEP or not SENT.of(client) or TO_FULL.of(upstream) or GONE.of(server)
            or len(resting) >= <Py_ssize_t>MAX_IDLE.of(server) or TO_TURNS.of(upstream) >= MAX_TURNS.of(server)):
        upstream.ended(client)
        return
    TO_CLIENT.put(upstream, None)
    TO_MODE.put(upstream, REST)
    now = NOW.of(PLANE.of(client))
    TO_SINCE.put(upstream, now)
    (<dict?>resting)[upstream] = None
    if STATE.of(client) is WAIT and TRIED.of(client) is None and KEEP.of(client) and not CONGESTED.of(client):
        finish(client, <Record>record, now)
    else:
        client.finish(OK)
    if BUFFER.of(client):
        client.advance()


cdef int finish(object client, Record record, double now) except -1:
    """The exchange is over, and the connection waits for the next request."""
    record.end(ENDED_WELL, BYTES_IN.of(client), BYTES_OUT.of(client))
    access = ACCESS.of(PLANE.of(client))
    if access is not None:
        access.note(client, OK)
    dropped = DROPPED.of(BACKEND.of(client))
    if dropped is not None and SERVER.of(client) is not None:
        dropped(SERVER.of(client))
    SERVER.put(client, None)
    UPSTREAM.put(client, None)
    PAYLOAD.put(client, b"")
    STATE.put(client, IDLE)
    DEADLINE.put(client, now + <double>CLIENT_IDLE.of(SETTINGS.of(LISTENER.of(client))))
    return 0


cdef inline int write(object transport, bytes data) except -1:
    if type(transport) is Sock:
        return (<Sock>transport).send(data)
    transport.write(data)
    return 0
