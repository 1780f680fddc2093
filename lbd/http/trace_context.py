"""Trace context (W3C Trace Context, levels 1 and 2): a request's traceparent, and the one that goes on from here."""

import re
from collections.abc import Callable

from lbd.http import head

# version, trace, parent, flags; more from a later version. Neither id is all zeros, ff is no version.
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

SAMPLED = 0x01
RANDOM = 0x02       # the id of the trace was drawn at random (level 2); it passes as it came


class TraceContext:
    """Puts every request into a trace: the client's, or one that begins here, which is sampled by `chance`."""

    def __init__(self, chance: Callable[[], bool]) -> None:
        self._chance = chance

    def follow(self, payload: bytes) -> bytes:
        """The head of a request with a traceparent of our own span. A client's trace goes on and is sampled or not as
        it says; where what it says is not valid, a new trace begins, and its tracestate goes no further."""
        found = parsed(head.values(payload, b"traceparent"))
        gone: tuple[bytes, ...] = (b"traceparent",)
        if found is None:
            trace, flags, gone = head.request_id(), SAMPLED if self._chance() else 0, (*gone, b"tracestate")
        else:
            trace, flags = found[0], found[2] & (SAMPLED | RANDOM)
        line = b"traceparent: 00-%b-%b-%02x\r\n" % (trace, head.request_id()[:16], flags)
        return head.edit(payload, None, gone, line)


def parsed(values: list[bytes]) -> tuple[bytes, bytes, int] | None:
    """Trace, span and flags of the fields called traceparent; None unless there is exactly one, and a valid one."""
    found = _PARENT.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        return None
    version, trace, parent, flags, more = found.groups()
    return None if version == b"00" and more else (trace, parent, int(flags, 16))


def sampled(payload: bytes) -> bytes:
    """The traceparent of a head that `follow` made, if its trace is sampled, else b""."""
    values = head.values(payload, b"traceparent")
    return values[0] if values and int(values[0][-2:], 16) & SAMPLED else b""
