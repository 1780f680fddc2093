"""The states of a client's HTTP/1 connection."""

# Up to READING the next bytes are a request head. BUSY: an exchange goes on. FULL: the client has to read before its
# next request is. LINGER: the rest of a request is read after an early answer.
IDLE, READING, BUSY, FULL, LINGER, CLOSED = range(6)
