"""The questions of `lbd.net.socket_state`, for connections."""

cpdef bint readable(int fd) noexcept
cpdef long unsent(int fd) noexcept
cpdef bint peer_left(int fd, Py_ssize_t wanted) noexcept
cpdef void reset_on_close(int fd) noexcept
