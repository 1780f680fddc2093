# cython: boundscheck=False, wraparound=False
"""A connection of the transport: a raw non-blocking socket behind the methods of asyncio's transports."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_CLEAR
from libc.errno cimport EAGAIN, ECONNRESET, EINTR, EPIPE, errno
from libc.stdint cimport uint32_t

from lbd.net cimport linux
from lbd.net.address cimport end_of
from lbd.net.carrier cimport Carrier
from lbd.net.epoll cimport READ, Watched
from lbd.net.gather cimport gather
from lbd.net.linux cimport (
    EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, MSG_MORE, MSG_NOSIGNAL, error, pending_error,
)
from lbd.net.socket_state cimport peer_left, readable, reset_on_close, unsent

import os
import socket

cdef enum:
    HIGH = 65536        # bytes queued above which the protocol is asked to pause


@cython.final
cdef class Sock(Watched):
    """A connection. The methods are those of asyncio's transports."""

    def __init__(self):
        raise TypeError("connections come from Poller.listen() and Poller.connect()")

    def __cinit__(self):
        self.high = HIGH
        self.low = HIGH // 4

    def __dealloc__(self):
        # Only where its poller was dropped without being closed.
        if self.fd >= 0:
            linux.close(self.fd)

    # Called by the protocol

    cpdef void write(self, data) except *:
        """Send `data`, or queue what the kernel does not take now; ignored once the connection is closing."""
        self.send(data if type(data) is bytes else bytes(memoryview(data)))

    cdef int send(self, bytes piece) except -1:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(piece), n = 0
        if self.state & MUTE or not size:
            return 0
        if self.state & BUSY:
            # Most often it is closed next, and was never registered.
            self.state &= ~BUSY
            self.owner.put_off(self)
        if self.queue is None and not self.state & YOUNG:
            n = linux.send(self.fd, PyBytes_AS_STRING(piece), size,
                           MSG_NOSIGNAL | MSG_MORE if self.state & LAST else MSG_NOSIGNAL)
            if n == size:
                self.idle_since = self.owner.now
                return 0
            if n < 0:
                if errno != EAGAIN and errno != EINTR:
                    return self.write_failed(errno)
                n = 0
        if self.queue is None:
            self.queue = []
            if n > size // 2:
                # The smaller half is copied, so that what stays never holds much more memory than it counts.
                piece = piece[n:]
                size -= n
                n = 0
            self.sent = n
        self.queue.append(piece)
        self.queued += size - n
        if not self.state & YOUNG:
            self.arm()
        if self.queued > self.high and not self.state & FULL:
            self.state |= FULL
            try:
                self.protocol.pause_writing()
            except Exception as exc:
                self.raised(exc)
        return 0

    def write_last(self, data not None):
        self.state = self.state & ~BUSY | LAST
        self.send(data if type(data) is bytes else bytes(memoryview(data)))
        self.close()

    def write_eof(self):
        """Shut down the sending side once what is queued is sent."""
        if self.state & MUTE:
            return
        self.state |= EOF_DUE
        if self.queue is None and not self.state & (YOUNG | FED):
            self.finish_writing()

    def close(self):
        """Read no more, send what is queued, then close."""
        if self.state & (CLOSING | LOST):
            return
        self.state |= CLOSING
        if (self.queue is None and not self.state & FED) or self.state & (YOUNG | BROKEN):
            self.lose(self.exc)
        else:
            self.arm()

    def abort(self):
        """Close at once and drop what is queued; the peer sees a reset."""
        if not self.state & LOST:
            reset_on_close(self.fd)
            self.lose(None)

    def reset(self):
        self.abort()

    def is_closing(self):
        return (self.state & (CLOSING | LOST)) != 0

    def pause_reading(self):
        # The event stays registered until it fires: most pauses end before that.
        self.state |= PAUSED

    def resume_reading(self):
        self.state &= ~PAUSED
        if not self.state & (LOST | YOUNG):
            self.arm()

    def is_reading(self):
        return not self.state & (DEAF | LOST)

    def set_write_buffer_limits(self, Py_ssize_t high=HIGH, Py_ssize_t low=-1):
        if low < 0:
            low = high // 4
        if high < low:
            raise ValueError(f"high ({high}) must be at least low ({low})")
        self.high = high
        self.low = low

    def get_write_buffer_limits(self):
        return self.low, self.high

    def get_write_buffer_size(self):
        return self.queued + (self.feeder.held if self.feeder is not None else 0)

    def is_readable(self):
        return self.state & (CLOSING | LOST) != 0 or readable(self.fd)

    def unsent(self):
        return self.get_write_buffer_size() + unsent(self.fd) if self.fd >= 0 else 0

    def peer_left(self, Py_ssize_t wanted):
        return peer_left(self.fd, wanted)

    @property
    def touched(self):
        return self.idle_since

    def splice_to(self, other not None):
        return self.owner.join(self, other) if type(other) is Sock else None

    def set_protocol(self, protocol not None):
        self.protocol = protocol

    def get_extra_info(self, str name not None, default=None):
        if self.state & LOST:
            return default
        if name == "source" and self.source is not None:
            return self.source
        if name == "peername" or name == "sockname":
            return end_of(self.fd, name == "peername", default)
        if name == "fd":
            return self.fd
        if name == "socket":
            self.state |= SHARED
            return socket.socket(fileno=os.dup(self.fd))
        return default

    # Called by the poller

    cdef int ready(self, uint32_t events) except -1:
        cdef Carrier feeder = self.feeder       # kept: a sink that is lost lets go of it while it drains
        if self.state & CONNECTING:
            self.connected()
            return 0
        if events & (EPOLLOUT | EPOLLERR | EPOLLHUP):
            if self.queue is not None:
                self.flush()
            elif self.state & FED:
                feeder.drain()
        if self.state & LOST or not events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP):
            return 0
        if not self.state & DEAF:
            # A short read with a FIN behind it: the FIN is fetched in the same turn.
            if self.receive() < READ and events & EPOLLRDHUP and not self.state & (DEAF | LOST):
                self.receive()
        elif events & (EPOLLERR | EPOLLHUP):
            self.hung_up()
        else:
            self.arm()
        return 0

    cdef int arm(self) except -1:
        """Register for what the state waits for."""
        cdef uint32_t mask = 0
        self.state &= ~BUSY
        if self.state & LOST:
            return 0
        if not self.state & DEAF:
            mask = EPOLLIN | EPOLLRDHUP
        if self.queue is not None or self.state & (CONNECTING | FED):
            mask |= EPOLLOUT
        return self.watch(mask)

    cdef Py_ssize_t receive(self) except -1:
        """Read once, and handle the outcome."""
        cdef PyObject *data = NULL
        cdef Py_ssize_t n
        cdef Carrier carrier = self.carrier     # kept, as the feeder is in `ready`
        if carrier is not None:
            n = carrier.carry()
            if n > 0:
                return n
        else:
            n = self.owner.fetch(self.fd, self.state & BULK != 0, &data)
        self.state = self.state | BULK if n >= READ // 4 else self.state & ~BULK
        if n > 0:
            self.idle_since = self.owner.now
            try:
                if self.protocol.data_received(<object> data) is not True:
                    self.state &= ~BUSY
            except Exception as exc:
                self.raised(exc)
            finally:
                Py_CLEAR(data)
            return n
        if n < 0:
            if n != -EAGAIN and n != -EINTR:
                self.lose(self.exc if self.state & BROKEN else error(-n))
            return 0
        if self.state & BROKEN:
            self.lose(self.exc)
            return 0
        self.state |= ENDED
        keep = False
        try:
            keep = self.protocol.eof_received()
        except Exception as exc:
            self.raised(exc)
        if not keep:
            self.close()
        elif self.state & EOF_DUE and self.queue is None and not self.state & FED:
            self.lose(None)
        else:
            self.arm()
        return 0

    cdef int flush(self) except -1:
        """Send of the queue what the kernel takes now."""
        cdef Py_ssize_t n = gather(self.fd, self.queue, &self.sent)
        if n < 0:
            if errno != EAGAIN and errno != EINTR:
                self.write_failed(errno)
            return 0
        self.queued -= n
        self.idle_since = self.owner.now
        if not self.queue:
            self.queue = None
        return self.flushed()

    cdef int flushed(self) except -1:
        """Follow up on a queue that became shorter."""
        if self.state & FULL and self.queued <= self.low:
            self.state &= ~FULL
            try:
                self.protocol.resume_writing()
            except Exception as exc:
                self.raised(exc)
        if self.queue is None and not self.state & (LOST | FED):
            if self.state & CLOSING:
                self.lose(None)
            elif self.state & EOF_DUE:
                self.finish_writing()
            self.arm()
        return 0

    cdef int finish_writing(self) except -1:
        linux.shutdown(self.fd, linux.SHUT_WR)
        if self.state & ENDED:
            # Both halves have ended: nothing can happen here any more but a hang-up event for ever.
            self.lose(None)
        return 0

    cdef int write_failed(self, int number) except -1:
        """The peer takes no more. Data that it sent before (an early answer) may still wait: it is read first."""
        self.queue, self.queued = None, 0
        self.state |= BROKEN
        self.exc = error(number)
        if self.state & DEAF or (number != EPIPE and number != ECONNRESET):
            self.lose(self.exc)
        else:
            self.arm()
        return 0

    cdef int hung_up(self) except -1:
        """An error or a hang-up while nothing is being read."""
        cdef int number = pending_error(self.fd)
        if number:
            self.lose(error(number))
        elif self.state & BROKEN:
            self.lose(self.exc)
        elif self.state & (ENDED | CLOSING):
            self.lose(None if self.queue is None else error(EPIPE))
        else:
            # The peer closed in order, and the protocol does not want the rest yet. A hang-up cannot be masked.
            self.unwatch()
        return 0

    cdef int connected(self) except -1:
        cdef int number = pending_error(self.fd)
        if number:
            self.lose(error(number))
        else:
            self.state &= ~CONNECTING
            self.announce()
            self.arm()
        return 0

    cdef int announce(self) except -1:
        """Hand the connection to its protocol."""
        self.idle_since = self.owner.now
        try:
            self.protocol.connection_made(self)
        except Exception as exc:
            self.raised(exc)
        if self.queue is not None and not self.state & LOST:
            self.flush()
        elif self.state & EOF_DUE and not self.state & LOST:
            self.finish_writing()
        return 0

    cdef int settle(self) except -1:
        """Make the callbacks that were put off."""
        if self.state & MADE_DUE:
            self.state &= ~MADE_DUE
            if not self.state & LOST:
                self.announce()
        if not self.state & LOST:
            self.arm()
        elif not self.state & TOLD:
            self.state |= TOLD
            protocol, self.protocol = self.protocol, None
            exc, self.exc = self.exc, None
            try:
                protocol.connection_lost(exc)
            except Exception as raised:
                self.owner.report(raised, protocol)
        return 0

    cdef int lose(self, object exc) except -1:
        """Close the descriptor now; connection_lost follows from the poller, never from inside a protocol's call."""
        if self.state & LOST:
            return 0
        self.state |= LOST
        self.exc = exc
        self.queue, self.queued = None, 0
        if self.carrier is not None or self.feeder is not None:
            self.separate()
        if self.fd >= 0:
            if self.state & SHARED:
                # A duplicate keeps the connection in the epoll set and open, unless both are ended here.
                self.unwatch()
                linux.shutdown(self.fd, linux.SHUT_RDWR)
            linux.close(self.release())
            if self.owner.starved:
                self.owner.relieve()
        return self.owner.put_off(self)

    cdef int separate(self) except -1:
        """It carries no more, and nothing is carried to it."""
        carrier, self.carrier = self.carrier, None
        feeder, self.feeder = self.feeder, None
        if carrier is not None:
            (<Carrier> carrier).source_lost()
        if feeder is not None:
            (<Carrier> feeder).sink_lost()
        return 0

    cdef int discard(self) except -1:
        self.abort()
        return 0

    cdef int raised(self, object exc) except -1:
        """A callback raised: that costs this connection, and no other."""
        self.owner.report(exc, self.protocol)
        self.abort()
        return 0
