"""Trace context: what is kept of a client's trace, what begins anew, and what is sampled."""

import itertools
import re

import pytest

from lbd.http.message import Head
from lbd.http.trace_context import TraceContext, parsed, sampled

TRACE, PARENT = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
VALID = b"00-" + TRACE + b"-" + PARENT + b"-01"


def request(*lines: bytes) -> Head:
    return Head(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


def followed(context: TraceContext, *lines: bytes) -> Head:
    """The head that the server gets, read anew."""
    head = request(*lines)
    context.follow(head)
    return Head(head.text)


def passed(head: Head) -> tuple[bytes, bytes, int]:
    """The trace, span and flags that the server gets."""
    found = parsed(head.values(b"traceparent"))
    assert found is not None
    return found


@pytest.mark.parametrize(("flags", "out"), [(b"01", 1), (b"00", 0), (b"03", 3), (b"ff", 3), (b"fe", 2)])
def test_a_trace_goes_on_and_its_flag_is_honoured(flags: bytes, out: int) -> None:
    head = followed(TraceContext(1.0), b"traceparent: " + VALID[:-2] + flags, b"tracestate: a=b")
    trace, span, given = passed(head)
    assert (trace, given) == (TRACE, out)
    assert span != PARENT
    assert head.values(b"tracestate") == [b"a=b"]
    assert bool(sampled(head)) == bool(out & 1)


@pytest.mark.parametrize("value", [
    b"", b"00", VALID.upper(), VALID + b"-x", VALID + b"0", VALID[:-1], b"ff" + VALID[2:], b"0" + VALID,
    b"00-" + b"0" * 32 + VALID[35:], b"00-" + TRACE + b"-" + b"0" * 16 + b"-01", VALID.replace(b"-", b"_"),
    VALID[:-2] + b"0g", VALID + b"," + VALID])
def test_what_is_not_valid_begins_a_new_trace(value: bytes) -> None:
    head = followed(TraceContext(1.0), b"Traceparent: " + value, b"TraceState: a=b", b"X-Kept: 1")
    trace, _, flags = passed(head)
    assert trace != TRACE
    assert re.fullmatch(rb"[0-9a-f]{32}", trace)
    assert flags == 1
    assert head.values(b"tracestate") == []
    assert head.values(b"x-kept") == [b"1"]


def test_two_of_them_are_none() -> None:
    line = b"traceparent: " + VALID
    assert passed(followed(TraceContext(1.0), line, line))[0] != TRACE


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    head = followed(TraceContext(0.0), b"traceparent: cc" + VALID[2:] + b"-what-comes")
    assert passed(head)[0] == TRACE
    assert head.values(b"traceparent")[0].startswith(b"00-")


def test_new_traces_are_sampled_by_chance_and_differ() -> None:
    context = TraceContext(0.5)
    found = [passed(followed(context)) for _ in range(2000)]
    assert 800 < sum(flags for _, _, flags in found) < 1200      # nine deviations
    assert len({trace for trace, _, _ in found}) == len({span for _, span, _ in found}) == 2000


def test_every_byte_of_a_traceparent_counts() -> None:
    for place, wrong in itertools.product(range(len(VALID)), (b"g", b"-", b"A", b" ", b"\xe1")):
        value = VALID[:place] + wrong + VALID[place + 1:]
        assert (parsed([value]) is None) == (value != VALID)
        assert parsed([value[:place]]) is None


def test_a_request_without_one_is_not_sampled() -> None:
    assert sampled(request()) == b""
