"""The lines of spans in one worker: one per sampled request, of which the supervisor makes a span."""

from lbd import schema
from lbd.access_log.line import LineFormatter
from lbd.access_log.writer import AccessLogWriter
from lbd.exchange.context import Refusal
from lbd.exchange.streams import Peer, Requester
from lbd.http.trace_context import sampled
from lbd.stats import fields

SPAN = "lbd-span"       # the field of a line that has the traceparent of the span itself
COLUMNS = ("unix", "listener", "route", "backend", "server", "client", "method", "target", "protocol", "host", "status",
           "bytes_in", "bytes_out", "queue", "connect", "first_byte", "total", "retries", "ending", "id", "user_agent",
           "header:traceparent", f"header:{SPAN}")


class SpanWriter(AccessLogWriter):
    """Lines like those of the access log, with the traceparent of the client and that of the span."""

    dropped = fields.PROCESS_SPANS_DROPPED

    def trace(self, settings: schema.TracingConfig, generation: int) -> bool:
        """Note spans by these settings; False when they ask for none."""
        self.flush()
        self._lines = LineFormatter("json", COLUMNS, 1.0, generation, 0) if settings.enabled else None
        return settings.enabled

    def note(self, exchange: Requester, ending: int) -> None:
        """Note the span of an exchange that is over and counted."""
        request = exchange.request
        if request is None:
            return
        span = sampled(request)
        if span and request.original:
            line = b"%b: %b\r\n\r\n" % (SPAN.encode(), span)
            self._add(exchange, request.original.removesuffix(b"\r\n") + line, ending)

    def blame(self, exchange: Requester, ending: int, reason: str) -> None:
        """Note nothing: a span has no reason."""

    def refused(self, peer: Peer, status: int, ending: int, refusal: Refusal) -> None:
        """Note nothing: a malformed request belongs to no trace."""
