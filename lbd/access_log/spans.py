"""Spans: what becomes of the workers' lines about sampled requests, sent to a collector by the OpenTelemetry SDK.

Imported only while tracing is on: the SDK is an extra. Names of attributes are those of OpenTelemetry's semantic
conventions for HTTP servers; what lbd alone knows begins with `lbd.`.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from lbd import __version__, schema
from lbd.http.trace_context import parsed

TIMEOUT = 5.0     # seconds that a collector may take for a batch, repeats and all
BATCH = 512       # spans that are sent at once
SCOPE = InstrumentationScope("lbd", __version__)

# Attribute, and the field of the line that it is taken from; None is left out.
ATTRIBUTES = (
    ("http.request.method", "method"), ("http.response.status_code", "status"), ("server.address", "host"),
    ("client.address", "client"), ("user_agent.original", "user_agent"), ("http.request.size", "bytes_in"),
    ("http.response.size", "bytes_out"), ("lbd.listener", "listener"), ("lbd.route", "route"),
    ("lbd.backend", "backend"), ("lbd.server", "server"), ("lbd.retries", "retries"), ("lbd.ending", "ending"),
    ("lbd.request_id", "id"),
)
EVENTS = (("server chosen", "queue"), ("response head", "first_byte"))
WELL = ("ok", "answered", "tunnel-closed", "tunnel-timeout")


class FirstComplaint(logging.Handler):
    """Keeps the first thing that the SDK had to complain of; its own lines go nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage()


class Spans:
    """A sink for lines about requests. Lines that the collector refuses are lost: `write` raises `OSError` then."""

    def __init__(self, settings: schema.TracingConfig) -> None:
        self._exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=TIMEOUT)
        self._resource = Resource.create({"service.name": settings.service, "service.version": __version__})
        self._reason = FirstComplaint()
        sdk = logging.getLogger("opentelemetry")
        sdk.handlers[:] = [self._reason]
        sdk.propagate = False

    def write(self, data: bytes) -> None:
        """Send a span for each line; raises `OSError` when the collector does not take them."""
        lines = data.splitlines()
        for first in range(0, len(lines), BATCH):
            spans = [self.span(json.loads(line)) for line in lines[first:first + BATCH]]
            self._reason.text = ""
            if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
                raise OSError(self._reason.text or "the collector does not take them")

    def reopen(self) -> None:
        """Do nothing: there is no file to open anew."""

    def close(self) -> None:
        """Send no more spans."""
        shutdown: Callable[[], None] = self._exporter.shutdown
        shutdown()

    def span(self, line: Mapping[str, Any]) -> ReadableSpan:
        """The span of one line: that of a server (SERVER), whose parent is the span of the client."""
        context = _context(line["header:lbd-span"], remote=False)
        assert context is not None
        start = round(line["unix"] * 1e6) * 1000
        path, _, query = (line["target"] or "").partition("?")
        attributes = {name: line[field] for name, field in ATTRIBUTES if line[field] is not None}
        attributes |= {"url.path": path, "network.protocol.version": (line["protocol"] or "").removeprefix("HTTP/")}
        if query:
            attributes["url.query"] = query
        if line["ending"] not in WELL:
            attributes["error.type"] = line["ending"]
        failed = line["status"] >= 500 or not line["status"]
        return ReadableSpan(
            name=line["method"] or "HTTP",
            context=context,
            parent=_context(line["header:traceparent"], remote=True, trace=context.trace_id),
            resource=self._resource,
            attributes=attributes,
            events=[Event(name, timestamp=start + round(line[field] * 1e6) * 1000) for name, field in EVENTS
                    if line[field] is not None],
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR, line["ending"]) if failed else Status(),
            start_time=start,
            end_time=start + round(line["total"] * 1e6) * 1000,
            instrumentation_scope=SCOPE,
        )


def _context(text: str | None, remote: bool, trace: int = 0) -> SpanContext | None:
    """The context in a traceparent; None without one, or where it belongs to another trace than the one given."""
    found = parsed([text.encode()]) if text else None
    if found is None or trace not in (0, int(found[0], 16)):
        return None
    return SpanContext(int(found[0], 16), int(found[1], 16), remote, TraceFlags(found[2]))
