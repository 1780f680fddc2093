"""Ids of requests, traces and spans, and draws by the same means: a key of this process, and a count."""

def request_id() -> bytes:
    """32 lower-case hexadecimal digits, not guessable in bulk, never twice: for X-Request-Id."""
