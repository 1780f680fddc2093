"""lbd.cli.reference.metrics: all metrics, and one by the name of any of its series."""

import pytest

from lbd.cli.reference import metrics
from lbd.stats.fields import KINDS


@pytest.mark.parametrize("name", metrics.names())
def test_each_is_found(name: str) -> None:
    assert name in metrics.entry(name)
    assert name in metrics.entry(name.removesuffix("_total"))
    assert f"\n{name}" in metrics.table()


def test_every_field_of_the_scoreboard_that_is_exported_is_there() -> None:
    known = {name.removesuffix("_total") for name in metrics.names()}
    for kind in KINDS:
        assert {field.metric for field in kind.fields if field.metric} <= known
        assert {histogram.metric for histogram in kind.histograms} <= known


def test_an_entry_has_type_labels_and_values() -> None:
    assert metrics.entry("lbd_retries_total") == (
        "lbd_retries_total{backend,reason}\n"
        "    counter: Requests sent again, by what went wrong before.\n"
        "    reason: refused, idle-stale, lost, timeout, status\n")


def test_a_histogram_is_found_by_its_series() -> None:
    for suffix in ("", "_bucket", "_sum", "_count"):
        assert "lbd_backend_response_seconds{backend}\n    histogram:" in \
            metrics.entry(f"lbd_backend_response_seconds{suffix}")


def test_names_of_haproxy_are_there_too() -> None:
    assert "haproxy_server_status{proxy,server,state}" in metrics.table()


def test_every_metric_has_its_labels() -> None:
    """The sample has a series of each: without one, labels would be missing here without a word."""
    assert [metric.name for group in metrics.metrics() for metric in group if not metric.samples] == []


def test_no_entry_for_another_name() -> None:
    assert metrics.entry("lbd_nothing") == ""
