"""Spans: what a worker's line becomes, and what happens to those that nobody takes."""

import json
from typing import Any

import pytest

from lbd.schema import TracingConfig

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="OpenTelemetry is not installed")

from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanKind
from opentelemetry.trace.status import StatusCode

from lbd.access_log.spans import BATCH, Spans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LINE = {
    "unix": 1700000000.25, "listener": "web", "route": None, "backend": "app", "server": "a", "client": "192.0.2.1",
    "method": "GET", "target": "/x?q=1", "protocol": "HTTP/1.1", "host": "example.com", "status": 200, "bytes_in": 80,
    "bytes_out": 120, "queue": 0.001, "connect": None, "first_byte": 0.02, "total": 0.03, "retries": 0, "ending": "ok",
    "id": "7", "user_agent": None, "header:traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    "header:lbd-span": f"00-{TRACE}-1111111111111111-01",
}


class Exporter:
    """Takes spans, or does not."""

    def __init__(self) -> None:
        self.taken: list[list[Any]] = []
        self.result = SpanExportResult.SUCCESS

    def export(self, spans: list[Any]) -> SpanExportResult:
        self.taken.append(spans)
        return self.result

    def shutdown(self) -> None:
        self.result = SpanExportResult.FAILURE


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def spans(exporter: Exporter) -> Spans:
    made = Spans(TracingConfig(enabled=True, service="edge"))
    made._exporter = exporter  # type: ignore[assignment]
    return made


def lines(*changes: dict[str, Any]) -> bytes:
    return b"".join(json.dumps({**LINE, **change}).encode() + b"\n" for change in changes)


def test_a_span_says_what_the_line_says(spans: Spans, exporter: Exporter) -> None:
    spans.write(lines({}))
    [[span]] = exporter.taken
    assert (span.name, span.kind, span.status.status_code) == ("GET", SpanKind.SERVER, StatusCode.UNSET)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.context.span_id:016x}" == "1" * 16
    assert span.context.trace_flags.sampled
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.parent.is_remote
    assert (span.start_time, span.end_time) == (1700000000_250_000_000, 1700000000_280_000_000)
    assert [(event.name, event.timestamp - span.start_time) for event in span.events] == [
        ("server chosen", 1_000_000), ("response head", 20_000_000)]
    said = dict(span.attributes)
    assert (said["http.request.method"], said["http.response.status_code"]) == ("GET", 200)
    assert (said["url.path"], said["url.query"], said["server.address"]) == ("/x", "q=1", "example.com")
    assert (said["lbd.backend"], said["lbd.server"], said["lbd.ending"]) == ("app", "a", "ok")
    assert said["network.protocol.version"] == "1.1"
    assert not {"user_agent.original", "error.type", "lbd.route"} & said.keys()
    assert span.resource.attributes["service.name"] == "edge"


@pytest.mark.parametrize("parent", [None, "nonsense", f"00-{'2' * 32}-00f067aa0ba902b7-01"])
def test_a_trace_that_began_here_has_no_parent(spans: Spans, exporter: Exporter, parent: str | None) -> None:
    spans.write(lines({"header:traceparent": parent}))
    [[span]] = exporter.taken
    assert span.parent is None


def test_what_ended_badly_is_an_error(spans: Spans, exporter: Exporter) -> None:
    spans.write(lines({"status": 502, "ending": "connect-refused", "server": None}, {"status": 404},
                      {"status": 0, "ending": "client-closed"}))
    [found] = exporter.taken
    assert [span.status.status_code for span in found] == [StatusCode.ERROR, StatusCode.UNSET, StatusCode.ERROR]
    assert found[0].attributes["error.type"] == found[0].status.description == "connect-refused"
    assert "error.type" not in found[1].attributes


def test_many_go_in_batches(spans: Spans, exporter: Exporter) -> None:
    spans.write(lines(*[{}] * (BATCH + 1)))
    assert [len(batch) for batch in exporter.taken] == [BATCH, 1]


def test_what_the_collector_does_not_take_is_an_error_with_its_reason() -> None:
    refused = Spans(TracingConfig(enabled=True, endpoint="http://127.0.0.1:1/v1/traces"))
    refused._exporter._client._timeout = 0.01  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="span"):
        refused.write(lines({}))
    refused.close()
