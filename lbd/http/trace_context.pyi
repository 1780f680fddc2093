"""Trace context (W3C Trace Context, levels 1 and 2): a request's traceparent, and the one that goes on from here."""

from typing import final

from lbd.http.message import Head

@final
class TraceContext:
    """Puts every request into a trace: the client's, or one that begins here. `share`: of these, from 0 to 1, how many
    are sampled."""

    def __init__(self, share: float) -> None: ...
    def follow(self, request: Head) -> None:
        """Put a traceparent of our own span into the head of a request. A client's trace goes on and is sampled or not
        as it says; where what it says is not valid, a new trace begins, and its tracestate goes no further."""

def parsed(values: list[bytes]) -> tuple[bytes, bytes, int] | None:
    """Trace, span and flags of the fields called traceparent; None unless there is exactly one, and a valid one."""

def sampled(request: Head) -> bytes:
    """The traceparent of a head that `follow` changed, if its trace is sampled, else b""."""
