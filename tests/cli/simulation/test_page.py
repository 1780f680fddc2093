"""lbd.cli.simulation.page: the headline, the table, the chart's choice, and the data."""

import io
from typing import Any

import pytest
from rich.console import Console

from lbd.cli.simulation import page
from lbd.simulation.advice import advise
from lbd.simulation.fault import Fault
from lbd.simulation.figures import AlgorithmFigures
from lbd.simulation.fleet import from_words, parse
from lbd.simulation.scenario import Scenario

LINE = [(1.0, 0.01), (2.0, 0.02)]
FOUND = [AlgorithmFigures("round-robin", 1000, 20, 0.02, 0.01, 0.05, 0.08, 2.0, {"a": 0.5, "b": 0.5}, None, LINE),
         AlgorithmFigures("least-time", 1000, 0, 0.01, 0.01, 0.02, 0.03, 2.0, {"a": 0.9, "b": 0.1}, None, LINE)]


def scenario(servers: str = "5ms,40msx2", **more: Any) -> Scenario:
    workload: Any = range(1000)
    return Scenario(**{"fleet": from_words(parse(servers), 8), "workload": workload, "workers": 1, "concurrency": 0,
                    "faults": [Fault("dies", "b", 0.5)], "seed": 3, **more})


def shown(what: Any) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=120, highlight=False).print(what)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_a_page() -> None:
    assert shown(page.page(scenario(), 900.0, FOUND, advise(FOUND, "round-robin"))) == [
        "servers  a 5.00 ms x1, b 40.0 ms x2; 8 at a time each",
        "load     900 requests/s (50 % of what they can answer), 1,000 requests, 1 worker, seed 3",
        "faults   dies b@50%",
        "",
        "algorithm       mean      p50      p95      p99  failed  most    least",
        "least-time   10.0 ms  10.0 ms  20.0 ms  30.0 ms       -  a 90 %  b 10 %",
        "round-robin  20.0 ms  10.0 ms  50.0 ms  80.0 ms     2 %  a 50 %  a 50 %",
        "",
        "→ least-time: p99 30.0 ms, against p99 80.0 ms and 2 % failed of round-robin; 20 fewer of 1,000 requests "
        "fail. It gives",
        "b 10 % of the requests instead of 50 %."]


@pytest.mark.parametrize(("of", "rate", "words"), [
    (scenario(concurrency=50), 0.0, "50 clients without a pause"),
    (scenario(fleet=from_words(parse("5ms"), 0)), 1000.0, "load     1,000 requests/s, 1,000 requests"),
    (scenario(fleet=from_words(parse("5ms"), 0)), 1000.0, "any number at a time"),
    (scenario(servers=",".join(["1ms"] * 11)), 1.0, "h 1.00 ms, 3 more; 8"),
    (scenario(workers=3), 1.0, "3 workers"),
])
def test_headlines(of: Scenario, rate: float, words: str) -> None:
    assert any(words in line for line in page.headline(of, rate))


def test_the_chart_begins_with_the_best_and_the_usual() -> None:
    more = [AlgorithmFigures(f"other-{number}", 1000, 0, 0.01, 0.01, 0.02, 0.031, 2.0, {"a": 1.0}, None, LINE)
            for number in range(9)]
    legend = page.lines([*FOUND, *more], "least-time", "round-robin", 80).plain.splitlines()[-1]
    names = [word for word in legend.split() if word != "━━"]
    assert names[:2] == ["least-time", "round-robin"]
    assert len(names) == page.LINES


def test_data() -> None:
    data = page.as_data(scenario(), 900.0, FOUND, advise(FOUND, "round-robin"))
    assert data["fleet"]["servers"][1] == {"name": "b", "seconds": 0.04, "weight": 2, "backup": False}
    assert data["load"] == {"requests": 1000, "rate": 900.0, "concurrency": None, "workers": 1, "seed": 3,
                            "faults": ["dies b@50%"]}
    assert [one["name"] for one in data["algorithms"]] == ["least-time", "round-robin"]
    assert data["algorithms"][1]["p99_over_time"][0] == {"time": 1.0, "p99": 0.01}
    assert data["recommendation"]["algorithm"] == "least-time"
