"""A sendmsg(2) of several pieces of bytes."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memset

from lbd.net cimport linux
from lbd.net.linux cimport MSG_NOSIGNAL, iovec, msghdr

cdef enum:
    PIECES = 64         # of one call


cdef inline Py_ssize_t gather(int fd, list queue, Py_ssize_t *sent) except? -9999:
    """Send as much of the queue as the kernel takes now; `sent` bytes of its first piece were sent before.

    Returns as sendmsg does; pieces that went as a whole are out of the queue then, and `sent` is that of the next.
    """
    cdef iovec pieces[PIECES]
    cdef msghdr message
    cdef Py_ssize_t count = min(len(queue), PIECES), n, rest, i
    cdef bytes piece
    for i in range(count):
        piece = <bytes> queue[i]
        pieces[i].iov_base = PyBytes_AS_STRING(piece)
        pieces[i].iov_len = PyBytes_GET_SIZE(piece)
    pieces[0].iov_base = <char *> pieces[0].iov_base + sent[0]
    pieces[0].iov_len -= sent[0]
    memset(&message, 0, sizeof(message))
    message.msg_iov = pieces
    message.msg_iovlen = count
    n = rest = linux.sendmsg(fd, &message, MSG_NOSIGNAL)
    i = 0
    while i < count and rest >= <Py_ssize_t> pieces[i].iov_len:
        rest -= pieces[i].iov_len
        i += 1
    if n >= 0:
        sent[0] = rest if i else sent[0] + rest
    if i:
        del queue[:i]
    return n
