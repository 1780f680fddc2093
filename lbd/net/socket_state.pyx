"""Questions to the kernel about a connected socket, by its descriptor: one or two system calls each, none waits."""

from lbd.net cimport linux
from lbd.net.linux cimport POLLERR, POLLHUP, POLLIN, POLLRDHUP, SOL_SOCKET


cdef short events(int fd, short mask) noexcept:
    """Ask which of the events are so now, and errors and hang-ups; a closed descriptor is hung up."""
    cdef linux.pollfd asked
    asked.fd = fd
    asked.events = mask
    asked.revents = 0
    if fd < 0:
        return POLLHUP
    return asked.revents if linux.poll(&asked, 1, 0) > 0 else 0


cdef long waiting(int fd, unsigned long what) noexcept:
    """Bytes of one of the queues of the kernel."""
    cdef int size = 0
    return size if fd >= 0 and linux.ioctl(fd, what, &size) == 0 else 0


cpdef bint readable(int fd) noexcept:
    return events(fd, POLLIN | POLLRDHUP) != 0


cpdef long unsent(int fd) noexcept:
    return waiting(fd, linux.TIOCOUTQ)


cpdef bint peer_left(int fd, Py_ssize_t wanted) noexcept:
    cdef short found
    if fd < 0:
        return False
    found = events(fd, POLLRDHUP)
    return found & (POLLERR | POLLHUP) != 0 or (found != 0 and waiting(fd, linux.FIONREAD) < wanted)


cpdef void reset_on_close(int fd) noexcept:
    cdef linux.linger hard
    hard.l_onoff = 1
    hard.l_linger = 0
    linux.setsockopt(fd, SOL_SOCKET, linux.SO_LINGER, &hard, sizeof(hard))
