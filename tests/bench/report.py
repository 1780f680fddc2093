"""The report of a run: a table per case, what lbd had to reach, the errors, and all of it as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.cases import CASES, Case
from tests.bench.goals import GOALS, reached
from tests.bench.rounds import Rounds, Spread

PEERS = ("haproxy", "nginx", "haproxy-full", "nginx-full")
COLUMNS = (("requests/s", "per_second", 0), ("CPU µs/req", "cpu", 1), ("user", "user", 1), ("system", "system", 1),
           ("p50 ms", "p50", 2), ("p99 ms", "p99", 2), ("others %", "others", 1))


def number(value: float, digits: int) -> str:
    return f"{value:,.{0 if value >= 1000 else digits}f}"


def cell(spread: Spread | None, digits: int, whole: bool = False) -> str:
    """The median, and with `whole` the range of the rounds."""
    if spread is None:
        return "-"
    text = number(spread.median, digits)
    if whole and spread.low != spread.high:
        text += f" ({number(spread.low, digits)}-{number(spread.high, digits)})"
    return text


def case_table(case: Case, rounds: Rounds) -> Table:
    """A table with a row per target; the ratios are CPU per request, or the case's own figure."""
    targets = rounds.results[case.name]
    table = Table(title=f"{case.name}: {case.text}", title_justify="left")
    columns = (((case.unit, "figure", 2),) if case.unit else COLUMNS) + (("RSS MiB", "rss", 1),)
    peers = [peer for peer in PEERS if peer in targets]
    table.add_column("target", no_wrap=True)
    for title in [title for title, _, _ in columns] + [f"x {peer}" for peer in peers]:
        table.add_column(title, justify="right")
    for target in targets:
        cells = [cell(rounds.spread(case.name, target, field), digits, field in ("cpu", "figure", "per_second"))
                 for _, field, digits in columns]
        for peer in peers:
            ratio = rounds.ratio(case.name, target, case.name, peer, "figure" if case.unit else "cpu")
            cells.append("-" if ratio is None else f"{ratio:.2f}")
        table.add_row(target, *cells, style="bold" if target == "lbd" else "")
    return table


def goal_table(rounds: Rounds) -> Table | None:
    table = Table(title="What lbd has to reach", title_justify="left")
    for title in ("case", "figure", "at most", "measured", ""):
        table.add_column(title)
    for goal in GOALS:
        value = reached(goal, rounds)
        if value is None:
            continue
        what = f"CPU per request x {goal.than or goal.against}" if goal.against else CASES[goal.case].unit
        ok = value <= goal.at_most
        table.add_row(goal.case, what, f"{goal.at_most:g}", f"{value:.2f}", "reached" if ok else "missed",
                      style="" if ok else "red")
    return table if table.row_count else None


def show(console: Console, facts: dict[str, str], rounds: Rounds) -> None:
    """Everything, for reading."""
    for name, value in facts.items():
        console.print(f"{name:>10}  {value}", highlight=False)
    for name in rounds.results:
        console.print()
        console.print(case_table(CASES[name], rounds))
    goals = goal_table(rounds)
    if goals:
        console.print()
        console.print(goals)
    for error in rounds.errors():
        console.print(f"error: {' '.join(error.split())}", style="bold red", highlight=False, markup=False,
                      soft_wrap=True)


def save(path: Path, facts: dict[str, str], rounds: Rounds) -> None:
    """Everything, for programs: each result of each round, and the goals."""
    goals = [{**asdict(goal), "measured": reached(goal, rounds)} for goal in GOALS]
    results = {case: {target: [asdict(result) for result in found] for target, found in targets.items()}
               for case, targets in rounds.results.items()}
    path.write_text(json.dumps({"facts": facts, "results": results, "goals": goals, "errors": rounds.errors()},
                               indent=1) + "\n")
