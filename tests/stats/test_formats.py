"""Tests of lbd.stats.formats: held against the library's own parsers and renderers."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from lbd.stats import formats

ODD = 'a "quoted" \\ back\nslash, {braces} = ümlaut'


def metrics() -> list[Metric]:
    counter = CounterMetricFamily("lbd_requests", "Requests.", labels=("backend", "code"))
    counter.add_metric(("app", "2xx"), 12345678.0)
    counter.add_metric((ODD, "5xx"), 0.0)
    gauge = GaugeMetricFamily("lbd_latency_seconds", "Latency.", value=0.1234567890123)
    histogram = HistogramMetricFamily("lbd_response_seconds", "Time.", labels=("backend",))
    histogram.add_metric(("app",), [("0.5", 1.0), ("+Inf", 3.0)], 7.5)
    return [counter, gauge, histogram, GaugeMetricFamily("lbd_empty", "Nothing.", labels=("a",))]


def found(families: Any) -> list[tuple[str, str, str, list[Any]]]:
    return [(family.name, family.type, family.documentation,
             sorted((sample.name, sorted(sample.labels.items()), sample.value) for sample in family.samples))
            for family in families]


class Fixed:
    """A collector of those metrics."""

    def collect(self) -> list[Metric]:
        return metrics()


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Fixed())
    return registry


def test_text_says_what_the_library_would_say(registry: CollectorRegistry) -> None:
    ours = formats.render(metrics(), False).decode()
    theirs = exposition.generate_latest(registry).decode()
    assert found(text_string_to_metric_families(ours)) == found(text_string_to_metric_families(theirs))


def test_openmetrics_says_what_the_library_would_say(registry: CollectorRegistry) -> None:
    ours = formats.render(metrics(), True).decode()
    theirs = openmetrics.generate_latest(registry).decode()
    parse = openmetrics_parser.text_string_to_metric_families
    assert found(parse(ours)) == found(parse(theirs))
    assert ours.endswith("# EOF\n")


def test_labels_survive_both_formats() -> None:
    for parse, flag in ((text_string_to_metric_families, False),
                        (openmetrics_parser.text_string_to_metric_families, True)):
        families = list(parse(formats.render(metrics(), flag).decode()))
        assert [sample.labels["backend"] for sample in families[0].samples] == ["app", ODD]


def test_figures_are_not_rounded() -> None:
    assert b"lbd_latency_seconds 0.1234567890123\n" in formats.render(metrics(), False)


@pytest.mark.parametrize(("accept", "wanted"), [
    ("", False), ("*/*", False), ("text/plain;version=0.0.4", False), ("nonsense;;;,=", False),
    ("application/openmetrics-text", True),
    ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1", True),
])
def test_openmetrics_is_for_those_who_ask(accept: str, wanted: bool) -> None:
    assert formats.openmetrics_wanted(accept) is wanted
