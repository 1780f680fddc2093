# cython: boundscheck=False, wraparound=False
"""The transport: raw non-blocking sockets in an epoll set of our own, whose descriptor is one reader of the loop."""

cimport cython
from libc.errno cimport (
    EAGAIN, ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, EINPROGRESS, EINTR, EMFILE, ENETDOWN, ENETUNREACH, ENFILE, ENOBUFS,
    ENOMEM, ENOPROTOOPT, EOPNOTSUPP, EPERM, EPROTO, errno,
)
from libc.stdint cimport uint32_t

from lbd.net cimport linux
from lbd.net.address cimport pack, text
from lbd.net.epoll cimport Epoll, Watched
from lbd.net.linux cimport (
    AF_UNIX, EPOLLIN, IPPROTO_TCP, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, TCP_NODELAY, error, sockaddr,
    sockaddr_storage, socklen_t,
)
from lbd.net.stream cimport BUSY, CONNECTING, DEAF, LOST, MADE_DUE, Sock as Stream

import socket

from lbd.net.callbacks import Callbacks
from lbd.net.splice import relay
from lbd.net.stream import Sock

__all__ = ["Acceptor", "Callbacks", "Poller", "Sock"]


cdef Stream accepted(Epoll owner, int fd, bytes source, object factory):
    """Make a Sock of a connection that was accepted from `source`, with the protocol that `factory` makes."""
    cdef Stream sock = Stream.__new__(Stream)
    try:
        sock.protocol = factory()
    except Exception as exc:
        linux.close(fd)
        owner.report(exc, factory)
        return None
    sock.source = source
    sock.adopt(owner, fd)
    try:
        greet(owner, sock)
    except Exception as exc:
        # No memory, or no room in the set: that is this connection's end, not the listener's.
        sock.raised(exc)
    return sock


cdef int greet(Epoll owner, Stream sock) except -1:
    """Read the data that came with the connection at once; a whole request is answered before the set watches it.

    Most connections that serve one request are closed before they would have been registered.
    """
    sock.announce()
    if not sock.state & (DEAF | LOST):
        sock.state |= BUSY
        if sock.receive() > 0 and sock.state & BUSY and not sock.state & (DEAF | LOST):
            owner.fresh.append(sock)
            return 0
    return sock.arm()


cdef Stream connecting(Epoll owner, int family, object address, object protocol, tuple options):
    """Begin to connect; the outcome comes later, as connection_made or as connection_lost."""
    cdef Stream sock = Stream.__new__(Stream)
    cdef sockaddr_storage raw
    cdef socklen_t size = pack(family, address, &raw)
    cdef int one = 1
    cdef int fd = linux.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    sock.protocol = protocol
    if fd < 0:
        sock.owner = owner
        sock.lose(error(errno))
        return sock
    sock.adopt(owner, fd)
    if family != AF_UNIX:
        linux.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))
        for level, name, value in options:      # kernels without one of them do without it
            one = value
            linux.setsockopt(fd, level, name, &one, sizeof(one))
    if linux.connect(fd, <sockaddr *> &raw, size) == 0:
        sock.state = MADE_DUE
        owner.put_off(sock)
    elif errno == EINPROGRESS:
        sock.state = CONNECTING
        try:
            sock.arm()
        except OSError as exc:
            sock.lose(exc)
    else:
        # Of a Unix socket also EAGAIN: the backlog of its listener is full.
        sock.lose(error(errno))
    return sock


@cython.final
cdef class Acceptor(Watched):
    """A listening socket whose connections are accepted in batches."""

    cdef object sock, factory, exhausted
    cdef int batch
    cdef bint paused

    def __init__(self):
        raise TypeError("acceptors come from Poller.listen()")

    def pause(self):
        """Accept no more; what connects waits in the kernel's backlog."""
        self.paused = True
        self.unwatch()

    def resume(self):
        """Accept again, also after `exhausted` was called."""
        self.paused = False
        self.relieve()

    def close(self):
        """Accept no more and close the socket; what waits in its backlog is reset if this was its last descriptor."""
        if self.fd < 0:
            return
        self.spare()
        # Other processes may hold the same socket, so closing it would not take it out of the set.
        self.unwatch()
        self.release()
        self.sock.close()
        self.factory = self.exhausted = None

    def drain(self):
        """Accept what waits, unless paused, then close."""
        while self.take() == self.batch:
            pass
        self.close()

    def fileno(self):
        return self.fd

    cdef int discard(self) except -1:
        self.close()
        return 0

    cdef int spare(self) except -1:
        """Wait for no descriptor any more."""
        if self in self.owner.starved:
            self.owner.starved.remove(self)
        return 0

    cdef int relieve(self) except -1:
        self.spare()
        if not self.paused and self.fd >= 0:
            self.watch(EPOLLIN)
        return 0

    cdef int ready(self, uint32_t events) except -1:
        self.take()
        return 0

    cdef int take(self) except -1:
        """Accept a batch; returns how much of it there was, connections that failed in the queue included."""
        cdef int fd, i
        cdef sockaddr_storage raw
        cdef socklen_t size
        for i in range(self.batch):
            # A callback may have paused or closed the acceptor.
            if self.paused or self.fd < 0:
                return i
            size = sizeof(raw)
            fd = linux.accept4(self.fd, <sockaddr *> &raw, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
            if fd >= 0:
                accepted(self.owner, fd, text(&raw), self.factory)
            elif not self.refused(errno):
                return i
        return self.batch

    cdef bint refused(self, int number) except -1:
        """Handle an error of accept4; true to go on with the next connection."""
        if number == EAGAIN:
            return False
        if number in (ECONNABORTED, EINTR, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, EHOSTDOWN, EHOSTUNREACH, ENETDOWN,
                      ENETUNREACH):
            # The connection failed while it waited: its client's trouble only.
            return True
        self.unwatch()
        if number not in (EMFILE, ENFILE, ENOBUFS, ENOMEM):
            # Not a listening socket any more: nothing to wait for.
            self.paused = True
            self.owner.report(error(number), self)
            return False
        self.owner.starve(self)
        if self.exhausted is not None:
            try:
                self.exhausted(error(number))
            except Exception as exc:
                self.owner.report(exc, self)
        return False


@cython.final
cdef class Poller(Epoll):
    """The epoll set of one worker, with its listeners and connections.

    Register `fileno()` with the loop as a reader, and `run` as its callback.
    """

    def listen(self, sock not None, factory not None, int batch=64, exhausted=None):
        """Accept from a listening TCP or Unix socket, at most `batch` a turn; the acceptor owns the socket.

        `factory()` makes the protocol of each connection. When descriptors or memory run out, `exhausted(OSError)` is
        called and accepting pauses until a connection closes, 100 ms have passed, or `resume` is called. ValueError for
        a socket that does not listen.
        """
        cdef Acceptor acceptor = Acceptor.__new__(Acceptor)
        if self.epoll < 0:
            raise ValueError("the poller is closed")
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or batch < 1:
            raise ValueError("a listening socket and a batch of at least 1 are needed")
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            # Linux hands it down to the connections: one system call less for each.
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        acceptor.sock = sock
        acceptor.factory = factory
        acceptor.batch = batch
        acceptor.exhausted = exhausted
        acceptor.adopt(self, sock.fileno())
        acceptor.watch(EPOLLIN)
        return acceptor

    def connect(self, int family, address, callbacks not None, tuple options not None=()):
        """Begin to connect to an IP address or Unix path, never to a name. `options` are set before, but on a Unix
        socket: level, name and value (int) of each, as setsockopt(2) has them.

        The outcome comes later: `connection_made`, or `connection_lost(OSError)` without it. ValueError for what is no
        address of the family, or when the poller is closed.
        """
        if self.epoll < 0:
            raise ValueError("the poller is closed")
        return connecting(self, family, address, callbacks, options)

    cdef object join(self, Watched source, Watched sink):
        return relay(source, sink)
