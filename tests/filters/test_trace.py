"""Requests in traces: what is sent is tested in lbd.http.trace_context."""

from lbd import schema
from lbd.filters.trace import Trace
from lbd.http.trace_context import parsed, sampled

from .asked import CONTEXT, exchange, place, request


def test_every_request_has_a_traceparent() -> None:
    for share, flag in ((1.0, True), (0.0, False)):
        made = Trace.of(place(tracing=schema.TracingConfig(enabled=True, sample=share)), CONTEXT)
        assert made is not None
        head = request()
        made.on_request(exchange(), head)
        assert parsed(head.values(b"traceparent")) is not None
        assert (sampled(head) != b"") is flag
        assert made.describe().startswith(f"traceparent; {share:.4g} of")


def test_no_traces() -> None:
    assert Trace.of(place(), CONTEXT) is None
