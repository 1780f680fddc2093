"""Trace context (W3C Trace Context, levels 1 and 2): a request's traceparent, and the one that goes on from here."""

import re
from collections.abc import Callable

from lbd.http import head
from lbd.http.message import Head

# version, trace, parent, flags; more from a later version. Neither id is all zeros, ff is no version.
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

SAMPLED = 0x01
RANDOM = 0x02       # the id of the trace was drawn at random (level 2); it passes as it came
PARENT: tuple[bytes, ...] = (b"traceparent",)                   # the fields that go
WHOLE: tuple[bytes, ...] = (b"traceparent", b"tracestate")
ENDS = tuple(b"-%02x\r\n" % flags for flags in range((SAMPLED | RANDOM) + 1))      # of the line, by its flags


class TraceContext:
    """Puts every request into a trace: the client's, or one that begins here, which is sampled by `chance`."""

    def __init__(self, chance: Callable[[], bool]) -> None:
        self._chance = chance

    def follow(self, request: Head) -> None:
        """Put a traceparent of our own span into the head of a request. A client's trace goes on and is sampled or not
        as it says; where what it says is not valid, a new trace begins, and its tracestate goes no further."""
        found = parsed(request.values(b"traceparent"))
        if found is None:
            trace, flags, gone = head.request_id(), SAMPLED if self._chance() else 0, WHOLE
        else:
            trace, flags, gone = found[0], found[2] & (SAMPLED | RANDOM), PARENT
        request.change(gone, b"traceparent: 00-%b-%b%b" % (trace, head.request_id()[:16], ENDS[flags]))


def parsed(values: list[bytes]) -> tuple[bytes, bytes, int] | None:
    """Trace, span and flags of the fields called traceparent; None unless there is exactly one, and a valid one."""
    if len(values) != 1:
        return None
    found = _PARENT.fullmatch(values[0])
    if found is None:
        return None
    version, trace, parent, flags, more = found.groups()
    return None if version == b"00" and more else (trace, parent, int(flags, 16))


def sampled(request: Head) -> bytes:
    """The traceparent of a head that `follow` changed, if its trace is sampled, else b""."""
    value = request.get(b"traceparent")
    return value if value is not None and int(value[-2:], 16) & SAMPLED else b""
