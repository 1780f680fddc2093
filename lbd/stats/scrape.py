"""A scrape: the metrics that its query asks for, in the format that it accepts, with no more series than allowed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from prometheus_client.metrics_core import Metric

from lbd.stats import formats, haproxy
from lbd.stats.exporter import Exporter
from lbd.stats.scope import Scope
from lbd.stats.scoreboard import Board
from lbd.stats.view import View


def series(view: View, board: Board) -> int:
    """The number of series that a view can have, rare ones included."""
    return count(Exporter(view, board, rare=True).collect())


def count(metrics: Iterable[Metric]) -> int:
    """The number of series of some metrics."""
    return sum(len(metric.samples) for metric in metrics)


def scrape(view: View, board: Board, accept: str, query: Mapping[str, str], most: int) -> tuple[bytes, str]:
    """The exposition and its content type. Beyond `most` series the histograms of servers are left out, then all of
    single servers; `lbd_metrics_left_out` is 1 then. ValueError for an invalid query.
    """
    scope = Scope(query)
    view = scope.seen(view)
    collect = haproxy.collect if scope.haproxy else (lambda view, board: Exporter(view, board).collect())
    metrics = list(scope.wanted(collect(view, board)))
    for less in ({"histograms": False}, {"servers": ()}):
        if count(metrics) > most:
            view = replace(view, left_out=True, **less)
            metrics = list(scope.wanted(collect(view, board)))
    openmetrics = formats.openmetrics_wanted(accept)
    return formats.render(metrics, openmetrics), formats.OPENMETRICS if openmetrics else formats.TEXT
