"""The states of a server's HTTP/1 connection."""

# REST: it is idle. HEAD: a response is waited for. LENGTH, CHUNKED, TO_END: how the body that comes now ends.
CONNECTING, REST, HEAD, LENGTH, CHUNKED, TO_END, TUNNEL, CLOSED = range(8)
