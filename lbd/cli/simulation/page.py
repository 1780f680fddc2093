"""The page: scenario and results of a simulation, as text and as JSON."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lbd.cli.simulation.chart import chart
from lbd.simulation.advice import Advice, percent, ranked, span
from lbd.simulation.figures import AlgorithmFigures
from lbd.simulation.fleet import NAMED
from lbd.simulation.scenario import Scenario

LINES = 5         # of a chart
HEIGHT = 14       # of a chart, lines

COLUMNS = ("mean", "p50", "p95", "p99", "failed", "most", "least")


def headline(scenario: Scenario, rate: float) -> list[str]:
    """The fleet and the load in a few words; `rate` is 0.0 where each request waits for another."""
    fleet = scenario.fleet
    servers = fleet.settings.servers
    named = [f"{name} {span(fleet.seconds[name])}" + (f" x{server.weight}" if fleet.weighted else "") +
             (" (backup)" if server.backup else "") for name, server in list(servers.items())[:NAMED]]
    if len(servers) > NAMED:
        named.append(f"{len(servers) - NAMED} more")
    room = f"{fleet.slots} at a time each" if fleet.slots else "any number at a time"
    load = f"{scenario.concurrency:,} clients without a pause" if scenario.concurrency else f"{rate:,.0f} requests/s"
    if rate and fleet.slots:
        load += f" ({percent(rate / fleet.capacity)} of what they can answer)"
    workers = f"{scenario.workers} worker{'s' * (scenario.workers != 1)}"
    lines = [f"servers  {', '.join(named)}; {room}",
             f"load     {load}, {len(scenario.workload):,} requests, {workers}, seed {scenario.seed}"]
    if scenario.faults:
        lines.append(f"faults   {', '.join(map(str, scenario.faults))}")
    return lines


def page(scenario: Scenario, rate: float, found: Sequence[AlgorithmFigures], advice: Advice) -> RenderableType:
    """Headline, table and recommendation."""
    lines = [Text.assemble((line[:9], "dim"), line[9:]) for line in headline(scenario, rate)]
    verdict = Text.assemble((f"→ {advice.algorithm}", "bold green"), ": ", str(advice))
    return Group(*lines, "", table(found, advice.algorithm), "", verdict)


def table(found: Sequence[AlgorithmFigures], best: str) -> Table:
    """A table with a line per algorithm, the best first."""
    made = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim")
    made.add_column("algorithm", no_wrap=True)
    for title in COLUMNS:
        made.add_column(title, justify="left" if title in ("most", "least") else "right", no_wrap=True)
    for figures in ranked(found):
        failed = percent(figures.failed / figures.requests) if figures.failed else "-"
        style = "bold green" if figures.algorithm == best else ""
        cells = [figures.algorithm, *("-" if value is None else span(value)
                                      for value in (figures.mean, figures.p50, figures.p95, figures.p99))]
        made.add_row(*cells, Text(failed, "red" if figures.failed else "dim"),
                     *(Text.assemble(name, (f" {percent(figures.shares[name])}", "dim" if not style else ""))
                       for name in (figures.busiest, figures.idlest)), style=style)
    return made


def lines(found: Sequence[AlgorithmFigures], best: str, usual: str, width: int) -> Text:
    """A chart of p99 over time: the recommended algorithm, the one in use, and the best of the others."""
    order = ranked(found)
    first = [figures for name in dict.fromkeys((best, usual)) for figures in order if figures.algorithm == name]
    chosen = (first + [figures for figures in order if figures not in first])[:LINES]
    return Text("p99 over time, by when requests were sent\n", "dim").append(
        chart([(figures.algorithm, figures.over_time) for figures in chosen], width, HEIGHT))


def as_data(scenario: Scenario, rate: float, found: Sequence[AlgorithmFigures], advice: Advice) -> dict[str, Any]:
    """The results as JSON data; times in seconds, shares from 0 to 1."""
    fleet = scenario.fleet
    return {
        "fleet": {
            "backend": fleet.name, "slots": fleet.slots,
            "servers": [{"name": name, "seconds": fleet.seconds[name], "weight": server.weight,
                         "backup": server.backup} for name, server in fleet.settings.servers.items()],
        },
        "load": {"requests": len(scenario.workload), "rate": rate or None, "concurrency": scenario.concurrency or None,
                 "workers": scenario.workers, "seed": scenario.seed,
                 "faults": [str(fault) for fault in scenario.faults]},
        "algorithms": [{
            "name": figures.algorithm, "mean": figures.mean, "p50": figures.p50, "p95": figures.p95, "p99": figures.p99,
            "failed": figures.failed, "duration": figures.duration, "shares": dict(figures.shares),
            "busy": None if figures.busy is None else dict(figures.busy),
            "p99_over_time": [{"time": time, "p99": p99} for time, p99 in figures.over_time],
        } for figures in ranked(found)],
        "recommendation": {"algorithm": advice.algorithm, "reasons": list(advice.reasons)},
    }
