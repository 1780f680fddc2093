"""Trace context: what is kept of a client's trace, what begins anew, and what is sampled."""

import re

import pytest

from lbd.http import head
from lbd.http.trace_context import TraceContext, parsed, sampled

TRACE, PARENT = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
VALID = b"00-" + TRACE + b"-" + PARENT + b"-01"


def request(*lines: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def passed(payload: bytes) -> tuple[bytes, bytes, int]:
    """The trace, span and flags that the server gets."""
    found = parsed(head.values(payload, b"traceparent"))
    assert found is not None
    return found


@pytest.mark.parametrize(("flags", "out"), [(b"01", 1), (b"00", 0), (b"03", 3), (b"ff", 3), (b"fe", 2)])
def test_a_trace_goes_on_and_its_flag_is_honoured(flags: bytes, out: int) -> None:
    payload = TraceContext(lambda: True).follow(request(b"traceparent: " + VALID[:-2] + flags, b"tracestate: a=b"))
    trace, span, given = passed(payload)
    assert (trace, given) == (TRACE, out)
    assert span != PARENT
    assert head.values(payload, b"tracestate") == [b"a=b"]
    assert bool(sampled(payload)) == bool(out & 1)


@pytest.mark.parametrize("value", [
    b"", b"00", VALID.upper(), VALID + b"-x", VALID + b"0", VALID[:-1], b"ff" + VALID[2:], b"0" + VALID,
    b"00-" + b"0" * 32 + VALID[35:], b"00-" + TRACE + b"-" + b"0" * 16 + b"-01", VALID.replace(b"-", b"_"),
    VALID[:-2] + b"0g", VALID + b"," + VALID])
def test_what_is_not_valid_begins_a_new_trace(value: bytes) -> None:
    payload = TraceContext(lambda: True).follow(request(b"Traceparent: " + value, b"TraceState: a=b", b"X-Kept: 1"))
    trace, _, flags = passed(payload)
    assert trace != TRACE
    assert re.fullmatch(rb"[0-9a-f]{32}", trace)
    assert flags == 1
    assert head.values(payload, b"tracestate") == []
    assert head.values(payload, b"x-kept") == [b"1"]


def test_two_of_them_are_none() -> None:
    assert passed(TraceContext(lambda: True).follow(request(b"traceparent: " + VALID, b"traceparent: " + VALID)))[0] \
        != TRACE


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    payload = TraceContext(lambda: False).follow(request(b"traceparent: cc" + VALID[2:] + b"-what-comes"))
    assert passed(payload)[0] == TRACE
    assert head.values(payload, b"traceparent")[0].startswith(b"00-")


def test_new_traces_are_sampled_by_chance_and_differ() -> None:
    draws = iter([True, False, True])
    context = TraceContext(lambda: next(draws))
    found = [passed(context.follow(request())) for _ in range(3)]
    assert [flags for _, _, flags in found] == [1, 0, 1]
    assert len({trace for trace, _, _ in found}) == len({span for _, span, _ in found}) == 3


def test_a_request_without_one_is_not_sampled() -> None:
    assert sampled(request()) == b""
