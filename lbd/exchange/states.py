"""The states of an exchange, in the order in which it goes through them, and what it waits for."""

# HELD: a filter or the body is waited for. QUEUED: a server is. CONNECT: a connection to it is. SEND: the request is
# being sent. WAIT: it is sent, and the answer is waited for. RELAY: the answer's body passes. TUNNEL: bytes pass both
# ways.
NEW, HELD, QUEUED, CONNECT, SEND, WAIT, RELAY, TUNNEL, ENDED = range(9)

BODY = -1                # `held` of an exchange that waits for its request's body; else a filter's number

HIGH = 64 * 1024         # bytes of a body that wait here before their sender has to

CHECK = 1.0              # seconds between two looks for a client that left while it is not read
