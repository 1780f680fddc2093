"""The spans as one worker notes them: a line per sampled request, for the supervisor to make a span of."""

from typing import Any

from lbd import schema
from lbd.access_log.line import LineFormatter
from lbd.access_log.writer import AccessLogWriter
from lbd.http import head
from lbd.http.trace_context import sampled
from lbd.stats import fields

SPAN = "lbd-span"       # the field of a line that has the traceparent of the span itself
COLUMNS = ("unix", "listener", "route", "backend", "server", "client", "method", "target", "protocol", "host", "status",
           "bytes_in", "bytes_out", "queue", "connect", "first_byte", "total", "retries", "ending", "id", "user_agent",
           "header:traceparent", f"header:{SPAN}")


class SpanWriter(AccessLogWriter):
    """Lines as those of the access log, with fields of their own: what the client sent as traceparent, and ours."""

    dropped = fields.PROCESS_SPANS_DROPPED

    def trace(self, settings: schema.TracingConfig, generation: int) -> bool:
        """Note spans as these settings say; False when they want none."""
        self.flush()
        self._lines = LineFormatter("json", COLUMNS, 1.0, generation, 0) if settings.enabled else None
        return settings.enabled

    def note(self, client: Any, ending: int) -> None:
        """The client's request is over and counted."""
        span = sampled(client.payload) if client.asked else b""
        if span:
            self._add(client, head.edit(client.asked, None, (SPAN.encode(),), b"%b: %b\r\n" % (SPAN.encode(), span)),
                      ending)

    def blame(self, client: Any, ending: int, reason: str) -> None:
        """A span tells no reason."""

    def refused(self, client: Any, status: int, ending: int, what: Any) -> None:
        """Note nothing: a malformed request belongs to no trace."""
