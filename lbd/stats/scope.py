"""The scope: which part of the metrics one scrape wants, in the words that HAProxy's exporter knows too."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from prometheus_client.metrics_core import Metric

from lbd.stats.view import View

SCOPES = ("global", "frontend", "backend", "server")


class Scope:
    """The scope of a query: `scope` (of `SCOPES`, several with commas); `no-maint` leaves out servers in maintenance.

    ValueError for an unknown scope.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.parts = tuple(filter(None, query.get("scope", "").split(","))) or SCOPES
        self.haproxy = query.get("compat", "") == "haproxy"
        self._maint = "no-maint" not in query
        wrong = [part for part in self.parts if part not in SCOPES]
        if wrong:
            raise ValueError(f"scope is {', '.join(SCOPES[:-1])} or {SCOPES[-1]}, not {wrong[0]!r}")
        if query.get("compat", "haproxy") != "haproxy":
            raise ValueError(f"compat is haproxy, not {query['compat']!r}")

    def seen(self, view: View) -> View:
        """The part of the view that is in scope."""
        if self._maint and "server" in self.parts:
            return view
        kept = [server for server in view.servers if server.state != "maint"] if "server" in self.parts else []
        return replace(view, servers=kept)

    def wanted(self, metrics: Iterator[Metric]) -> Iterator[Metric]:
        """The families of these parts; those without a series only when all are wanted."""
        if self.parts == SCOPES:
            yield from metrics
            return
        for metric in metrics:
            if metric.samples and part(metric) in self.parts:
                yield metric


def part(metric: Metric) -> str:
    """Which of `SCOPES` a family belongs to, by its labels."""
    labels = metric.samples[0].labels
    if "server" in labels:
        return "server"
    if "listener" in labels:
        return "frontend"
    return "backend" if "backend" in labels or "proxy" in labels else "global"
