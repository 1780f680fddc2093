"""The filter that puts requests into traces: `[tracing]`."""

from typing import Self

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head
from lbd.http.trace_context import TraceContext


class Trace(Filter):
    """Sends a traceparent of lbd's own span: of the client's trace, or of one that begins here. Requests that lbd
    answers itself are of a trace too; answers are not changed."""

    def __init__(self, sample: float, context: FilterContext) -> None:
        super().__init__(sample, context)
        self._sample = sample
        self._trace = TraceContext(sample)

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        return cls(place.tracing.sample, context) if place.tracing.enabled else None

    def on_request(self, exchange: Requester, head: Head) -> None:
        self._trace.follow(head)

    def describe(self) -> str:
        return f"traceparent; {self._sample:.4g} of the traces that begin here are sampled"
