"""Metrics as `lbd help` shows them: all that the exporter has, or one by its name."""

from collections.abc import Iterable, Iterator
from functools import cache

from prometheus_client.metrics_core import Metric

from lbd.backend.outlier import EJECTED, NOT_ENFORCED, TOO_MANY
from lbd.stats import haproxy
from lbd.stats.exporter import DAEMON_METRICS, Exporter
from lbd.stats.scoreboard import Board
from lbd.stats.view import ProcessView, ServerView, View

HEAD = "Every metric of /metrics, with its type, its labels and its meaning.\n"
COMPATIBLE = "With ?compat=haproxy the same figures come under HAProxy's names:\n"
SUFFIXES = ("", "_total", "_bucket", "_sum", "_count")      # of the series of one metric
VARIOUS = "…"                                               # value of a label that the operator chooses

# A view that has something of everything, so that every metric has a series with its labels.
SAMPLE = View(
    generation=1,
    servers=[ServerView(VARIOUS, VARIOUS, 0, check_seconds=0.0, checks={"passed": 0, "failed": 0},
                        ejections=dict.fromkeys((EJECTED, NOT_ENFORCED, TOO_MANY), 0), score=0.0, max_connections=1)],
    listeners={VARIOUS: 0}, backends={VARIOUS: 0}, routes={(VARIOUS, VARIOUS): 0},
    processes=[ProcessView(VARIOUS, 0)],
    daemon={**{metric.name: {(VARIOUS,) * len(metric.labels): 0.0} for metric in DAEMON_METRICS if metric.labels},
            "lbd_config_reloads": {(result,): 0 for result in ("applied", "unchanged", "refused")}},
    histograms=True, build=dict.fromkeys(("version", "python", "kernels"), VARIOUS))


@cache
def metrics() -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    """All metrics under lbd's names, and those under HAProxy's."""
    board = Board.create(1)
    return tuple(Exporter(SAMPLE, board, rare=True).collect()), tuple(haproxy.collect(SAMPLE, board))


def names() -> list[str]:
    """The name of every metric's series, without the suffixes of a histogram."""
    return [_name(metric) for group in metrics() for metric in group]


def table() -> str:
    """The list of all metrics."""
    own, compatible = metrics()
    return "\n".join((HEAD, *_lines(own), COMPATIBLE, *_lines(compatible)))


def entry(subject: str) -> str:
    """The text of one metric, "" where there is none; the name of any of its series will do."""
    found = [metric for group in metrics() for metric in group
             if subject in {metric.name + suffix for suffix in SUFFIXES}]
    return "\n".join(_lines(found, True))


def _name(metric: Metric) -> str:
    return metric.name + ("_total" if metric.type == "counter" else "")


def _lines(listed: Iterable[Metric], values: bool = False) -> Iterator[str]:
    for metric in listed:
        labels = _labels(metric)
        yield f"{_name(metric)}{{{','.join(labels)}}}" if labels else _name(metric)
        yield f"    {metric.type}: {metric.documentation}"
        for label, known in labels.items() if values else ():
            if VARIOUS not in known:
                yield f"    {label}: {', '.join(known)}"
        yield ""


def _labels(metric: Metric) -> dict[str, list[str]]:
    """Labels with the values that the sample has of them; the bounds of a histogram are not one."""
    labels: dict[str, list[str]] = {}
    for sample in metric.samples:
        for label, value in sample.labels.items():
            if label != "le" and value not in labels.setdefault(label, []):
                labels[label].append(value)
    return labels
