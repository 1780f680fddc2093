"""One scrape: what its query wants of the metrics, in the format that it reads, and no more series than allowed."""

from collections.abc import Mapping
from dataclasses import replace

from lbd.stats import formats, haproxy
from lbd.stats.exporter import Exporter, View
from lbd.stats.scope import Scope
from lbd.stats.scoreboard import Board


def series(view: View, board: Board) -> int:
    """How many series everything has."""
    return sum(len(metric.samples) for metric in Exporter(view, board).collect())


def scrape(view: View, board: Board, accept: str, query: Mapping[str, str], most: int) -> tuple[bytes, str]:
    """The exposition and its content type. Beyond `most` series those of single servers are left out, and
    `lbd_metrics_left_out` is 1. ValueError for a query that means nothing.
    """
    scope = Scope(query)
    view = scope.seen(view)
    collect = haproxy.collect if scope.haproxy else (lambda view, board: Exporter(view, board).collect())
    metrics = list(scope.wanted(collect(view, board)))
    if sum(len(metric.samples) for metric in metrics) > most:
        metrics = list(scope.wanted(collect(replace(view, servers=(), left_out=True), board)))
    openmetrics = formats.openmetrics_wanted(accept)
    return formats.render(metrics, openmetrics), formats.OPENMETRICS if openmetrics else formats.TEXT
