# cython: boundscheck=False, wraparound=False
"""TLS over a connection (RFC 8446, RFC 5246): a transport to the protocol above it, a protocol to what is below it.

Encrypted data passes through memory (`ssl.SSLObject`), not through the socket: queue, back-pressure and half-close are
those of the transport below, of either kind, and no state waits for a socket to become writable.
"""

cimport cython
from cpython.bytes cimport PyBytes_GET_SIZE

from lbd.net.libssl cimport handshake, say_end

import ssl

_want_read = ssl.SSLWantReadError
_zero = ssl.SSLZeroReturnError
_error = ssl.SSLError
_bio = ssl.MemoryBIO


class NotTls(ConnectionError):
    """The peer speaks HTTP without TLS."""


@cython.final
cdef class Secure:
    """A connection with TLS."""

    def __init__(self, context not None, protocol not None, limiter=None, refusal=None, *,
                 bint server=True, str name=None, client_tls=None, bytes greeting=b""):
        self.context = context
        self.protocol = protocol
        self.limiter = limiter
        self.refusal = refusal
        self.name = name
        self.client_tls = client_tls
        self.held = greeting if greeting else None
        self.state = SERVER if server else LENIENT if client_tls is not None and client_tls.lenient else 0

    def attach(self, transport):
        """The transport below, before it is connected."""
        self.transport = transport
        return self

    # Called by the protocol above

    def write(self, data not None):
        """Encrypt and send; ignored once the connection is closing, put off until the handshake is done."""
        cdef Py_ssize_t size = len(data), at, end
        cdef list pieces
        if self.state & (CLOSING | NOTIFIED) or not size:
            return
        if not self.state & SECURED:
            if self.early is None:
                self.early = []
            self.early.append(bytes(data))
            return
        try:
            if size <= RECORD:
                self.engine.write(data)
                self.flush()
                return
            view = memoryview(data)
            for at in range(0, size, RECORD * BATCH):
                end = min(at + RECORD * BATCH, size)
                pieces = []
                while at < end:
                    self.engine.write(view[at:min(at + RECORD, end)])
                    pieces.append(self.outgoing.read())
                    at += RECORD
                self.late = 0
                self.transport.write(b"".join(pieces))
        except _error as exc:
            self.fail(exc)

    def write_last(self, data not None):
        if not 0 < len(data) <= RECORD or self.state & (SECURED | CLOSING | NOTIFIED) != SECURED:
            self.write(data)
            self.close()
            return
        try:
            self.engine.write(data)
        except _error as exc:
            self.fail(exc)
            return
        self.notify()
        self.state |= CLOSING
        self.late = 0
        self.transport.write_last(self.outgoing.read())

    def write_eof(self):
        """Tell the peer in TLS and in TCP that no more comes."""
        if self.state & (CLOSING | NOTIFIED):
            return
        self.notify()
        self.flush()
        self.transport.write_eof()

    def close(self):
        """Read no more, send what is queued and the end of TLS, then close."""
        if self.state & CLOSING:
            return
        if not self.state & NOTIFIED:
            self.notify()
            self.flush()
        self.state |= CLOSING
        self.transport.close()

    def abort(self):
        """Close at once and drop what is queued; the peer sees a reset."""
        self.state |= CLOSING
        if self.transport is not None:
            self.transport.abort()

    def is_closing(self):
        return self.state & CLOSING != 0 or self.transport is None or self.transport.is_closing()

    def pause_reading(self):
        self.state |= PAUSED
        if self.state & (SECURED | HELD) == SECURED:
            self.transport.pause_reading()

    def resume_reading(self):
        self.state &= ~PAUSED
        if self.state & (SECURED | HELD) == SECURED:
            self.transport.resume_reading()

    def is_reading(self):
        return not self.state & (PAUSED | ENDED | CLOSING)

    def set_write_buffer_limits(self, *limits):
        """As of the transport below; what is queued there is encrypted."""
        self.transport.set_write_buffer_limits(*limits)

    def get_write_buffer_limits(self):
        return self.transport.get_write_buffer_limits()

    def get_write_buffer_size(self):
        return self.transport.get_write_buffer_size()

    def is_readable(self):
        return self.state & (ENDED | CLOSING | WAITING) != 0 or self.waiting() > 0 or self.transport.is_readable()

    def unsent(self):
        cdef Py_ssize_t size = self.outgoing.pending - self.late if self.outgoing is not None else 0
        if self.early is not None and not self.state & CLOSING:
            size += sum(map(len, self.early))
        return size + self.transport.unsent()

    def peer_left(self, Py_ssize_t wanted):
        if self.state & (ENDED | CLOSING) == ENDED and wanted > 0:
            return True
        return self.transport.peer_left(max(wanted - self.waiting(), 0))

    def reset(self):
        self.state |= CLOSING
        self.transport.reset()

    @property
    def source(self): return self.transport.source
    @property
    def idle_since(self): return self.transport.idle_since

    def splice_to(self, other not None):
        return None     # its bytes are encrypted here

    cdef Py_ssize_t waiting(self) except -1:
        """Bytes in TLS's memory that the protocol has not got, encrypted or not."""
        return self.incoming.pending + self.engine.pending() if self.incoming is not None else 0

    def set_protocol(self, protocol not None):
        self.protocol = protocol

    def get_extra_info(self, str name not None, default=None):
        """`tls`: the SSLObject, once the handshake is done; else as of the transport below."""
        if name == "tls":
            return self.tls if self.state & SECURED and self.tls is not None else default
        return self.transport.get_extra_info(name, default)

    # Called by the transport below

    def connection_made(self, transport):
        """An accepted connection is the protocol's at once, one that was opened when its server has shaken hands."""
        self.transport = transport
        if self.state & SERVER:
            self.protocol.connection_made(self)
        else:
            if self.held is not None:
                transport.write(self.held)
                self.held = None
            self.begin()
            self.shake()

    def data_received(self, bytes data not None):
        if self.state & SECURED:
            self.decrypt(data)
        elif self.state & WAITING:
            self.held += data
        elif not self.state & CLOSING:
            if self.tls is None and not self.greeted(data):
                return
            self.incoming.write(data)
            self.shake()

    def eof_received(self):
        """FIN. Without TLS's own end it may be anybody's: of a server it is a break unless that is said to leave TLS's
        end out, of a client its end."""
        if self.state & ENDED:
            return not self.state & CLOSING
        if self.state & CLOSING:
            return False
        self.state |= ENDED
        if not self.state & SECURED:
            if self.tls is not None or self.held is not None:
                self.exc = ConnectionAbortedError("closed within the handshake")
        elif self.state & SERVER or self.state & (LENIENT | PARTIAL) == LENIENT:
            return self.protocol.eof_received()
        else:
            self.exc = ConnectionResetError("closed without the end of TLS")
        self.state |= CLOSING
        return False

    def pause_writing(self):
        self.state |= FULL
        if self.state & SECURED:
            self.protocol.pause_writing()

    def resume_writing(self):
        self.state &= ~FULL
        if self.state & HELD:
            self.state &= ~HELD
            if not self.state & PAUSED:
                self.transport.resume_reading()
        if self.state & SECURED:
            self.protocol.resume_writing()

    def connection_lost(self, exc):
        self.state |= CLOSING
        protocol, self.protocol = self.protocol, None
        if self.state & (SERVER | SECURED) == SERVER and self.tls is None and self.held is None and self.exc is None:
            exc = None      # a client that sent nothing may end it in any way
        self.tls = self.engine = self.incoming = self.outgoing = self.early = self.held = None
        self.context = self.limiter = None
        if self.exc is not None:
            exc, self.exc = self.exc, None
        protocol.connection_lost(exc)

    def begin_handshake(self):
        """Begin the handshake, which had to wait."""
        if self.state & CLOSING:
            return
        self.state &= ~WAITING
        data, self.held = self.held, None
        try:
            self.begin()
            self.incoming.write(data)
            self.shake()
            if not self.state & SECURED or not self.state & (PAUSED | HELD):
                self.transport.resume_reading()
        except Exception:
            self.abort()
            raise

    # Inside

    cdef int begin(self) except -1:
        self.incoming = _bio()
        self.outgoing = _bio()
        session = self.client_tls.session if self.client_tls is not None else None
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, self.state & SERVER != 0, self.name, session)
        # The wrapped object has the same methods: a Python call less for each read and write.
        self.engine = getattr(self.tls, "_sslobj", self.tls)
        self.context = None
        return 0

    cdef bint greeted(self, bytes data) except -1:
        """The first bytes of a client; false when they wait, or are none of TLS."""
        if b"A" <= data[:1] <= b"Z":        # a method; a ClientHello begins with 22
            if self.refusal is not None:
                self.transport.write(self.refusal())
            self.fail(NotTls("HTTP without TLS"))
            return False
        if self.limiter is not None and not self.limiter.admit(self):
            self.state |= WAITING
            self.held = data
            self.transport.pause_reading()
            return False
        self.begin()
        return True

    cdef int shake(self) except -1:
        """Go on with the handshake."""
        engine = self.engine
        try:
            if not handshake(engine):
                return self.flush()
        except (_error, ValueError) as exc:
            self.flush()        # the alert that says why
            return self.fail(exc)
        self.state |= SECURED
        self.limiter = None
        if self.state & SERVER and self.incoming.pending and self.engine.version() == "TLSv1.3":
            self.late = self.outgoing.pending       # tickets, which nobody waits for
        else:
            self.flush()        # without a request yet: Nagle's algorithm may hold it back until something arrives
        if self.state & PAUSED:
            self.transport.pause_reading()
        if self.state & SERVER:
            self.protocol.secured()
        else:
            self.protocol.connection_made(self)
        early, self.early = self.early, None
        if early is not None:
            self.write(b"".join(early))
        if self.incoming is not None and self.incoming.pending:
            self.decrypt(b"")
        return 0

    cdef int decrypt(self, bytes data) except -1:
        """Everything that these bytes complete, handed over at once."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), at = 0
        cdef list more = None
        cdef bytes first = None, piece
        error = None
        if self.state & CLOSING:
            return 0
        while True:
            if size <= FEED:
                self.incoming.write(data)
                at = size
            else:
                self.incoming.write(memoryview(data)[at:at + FEED])
                at += FEED
            try:
                while (waiting := self.incoming.pending) and not self.state & ENDED:
                    # A record holds less than its own size, unless OpenSSL has some of it already.
                    piece = self.engine.read(RECORD if self.state & PARTIAL else min(RECORD, waiting))
                    self.state &= ~PARTIAL
                    if not piece:
                        self.state |= ENDED
                    elif first is None:
                        first = piece
                    elif more is None:
                        more = [first, piece]
                    else:
                        more.append(piece)
            except _want_read:
                self.state |= PARTIAL
            except _zero:
                self.state |= ENDED     # so it is said where our own end was sent before
            except _error as exc:
                error = exc
            if at >= size or error is not None or self.state & ENDED:
                break
        self.replied()
        if first is not None:
            if self.client_tls is not None:
                self.client_tls.session = self.tls.session       # the server's ticket came before its first bytes
                self.client_tls = None
            self.protocol.data_received(first if more is None else b"".join(more))
        if error is not None:
            self.fail(error)
        elif self.state & ENDED and not self.state & CLOSING and not self.protocol.eof_received():
            self.close()
        return 0

    cdef int replied(self) except -1:
        """Send what TLS itself has to say; a peer that does not take that is not listened to. Tickets go with the
        first answer, unless there is none before more is said."""
        cdef Py_ssize_t pending = self.outgoing.pending
        if pending and pending == self.late and not self.state & ASKED:
            self.state |= ASKED
        elif pending:
            self.flush()
            if self.state & FULL and not self.state & HELD:
                self.state |= HELD
                self.transport.pause_reading()
        return 0

    cdef int flush(self) except -1:
        self.late = 0
        if self.outgoing is not None and self.outgoing.pending:
            self.transport.write(self.outgoing.read())
        return 0

    cdef int notify(self) except -1:
        """Encrypt close_notify, which is to be flushed."""
        engine, tls = self.engine, self.tls
        self.state |= NOTIFIED
        if self.state & SECURED:
            say_end(engine, tls)
        return 0

    cdef int fail(self, object exc) except -1:
        """Give the connection up in good order, so that what was written last arrives."""
        if not self.state & CLOSING:
            self.state |= CLOSING
            self.exc = exc
            self.transport.close()
        return 0
