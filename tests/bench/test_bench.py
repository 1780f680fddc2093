"""The benchmark itself: its arithmetic, its report, and that it leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import pick, report, wake
from tests.bench.__main__ import main, options, order
from tests.bench.goals import GOALS, Goal, reached
from tests.bench.machine import find
from tests.bench.process import descendants, poll
from tests.bench.result import Result, failed
from tests.bench.rounds import Rounds, Spread
from tests.bench.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]

needs_peers = pytest.mark.skipif(not all(map(find, ("haproxy", "nginx", "wrk"))),
                                 reason="haproxy, nginx and wrk are not installed")


def measured(**costs: list[float]) -> Rounds:
    """Rounds of keepalive-12 with these CPU figures by target."""
    rounds = Rounds()
    for target, values in costs.items():
        for value in values:
            rounds.add("keepalive-12", target, Result(cpu=value, user=value / 4))
    return rounds


def test_ratio_is_taken_round_by_round() -> None:
    """A machine that was twice as slow in one round does not distort it."""
    rounds = measured(lbd=[9.0, 18.0, 9.0], haproxy=[10.0, 20.0, 12.0])
    assert rounds.ratio("keepalive-12", "lbd", "keepalive-12", "haproxy") == pytest.approx(0.9)
    assert rounds.spread("keepalive-12", "lbd", "cpu") == Spread(9.0, 9.0, 18.0)


def test_failed_round_is_no_figure_but_an_error() -> None:
    rounds = measured(lbd=[9.0], haproxy=[10.0])
    rounds.add("keepalive-12", "lbd", failed("it fell over"))
    rounds.add("keepalive-12", "haproxy", Result(cpu=5.0))
    assert rounds.ratio("keepalive-12", "lbd", "keepalive-12", "haproxy") == pytest.approx(0.9)
    assert rounds.errors() == ["keepalive-12: lbd: it fell over"]


def test_goals_are_of_known_cases_and_targets() -> None:
    assert not [goal for goal in GOALS if reached(goal, Rounds()) is not None]
    assert reached(Goal("keepalive-12", 0.95, "haproxy"), measured(lbd=[9.0], haproxy=[10.0])) == pytest.approx(0.9)
    assert {goal.against for goal in GOALS} <= {*TARGETS, ""}


def test_report_shows_the_range_the_ratio_and_the_error(tmp_path: Path) -> None:
    rounds = measured(lbd=[9.0, 9.5], haproxy=[10.0, 10.0])
    rounds.add("keepalive-12", "lbd", failed("it fell over"))
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    report.show(console, {"kernel": "6.1"}, rounds)
    console.file.close()
    shown = console.export_text()
    assert "9.2 (9.0-9.5)" in shown
    assert "0.93" in shown
    assert "reached" in shown
    assert "error: keepalive-12: lbd: it fell over" in shown
    report.save(tmp_path / "all.json", {"kernel": "6.1"}, rounds)
    assert json.loads((tmp_path / "all.json").read_text())["results"]["keepalive-12"]["haproxy"][1]["cpu"] == 10.0


def test_order_changes_from_round_to_round() -> None:
    targets = list(TARGETS.values())
    orders = [[target.name for target in order(targets, number)] for number in range(4)]
    assert len({names[0] for names in orders}) == 4
    assert all(sorted(names) == sorted(TARGETS) for names in orders)


@pytest.mark.parametrize("arguments", [["--cases", "nonsense"], ["--targets", "apache"], ["--rounds", "0"]])
def test_wrong_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        options(arguments)
    assert "error:" in capsys.readouterr().err


def test_pick_of_an_unknown_algorithm(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        pick.main(["nonsense"])
    assert "round-robin" in capsys.readouterr().err


def test_places_are_handed_from_worker_to_worker(capsys: pytest.CaptureFixture[str]) -> None:
    assert wake.main(["--rounds", "5"]) == 0
    assert capsys.readouterr().out.startswith("5 hand-overs: median ")


@pytest.mark.programs
@needs_peers
def test_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cpus = os.sched_getaffinity(0)
    try:
        code = main(["--quick", "--cases", "keepalive-12,start", "--targets", "haproxy,nginx-full", "--json",
                     str(tmp_path / "run.json")])
    finally:
        os.sched_setaffinity(0, cpus)
    assert code == 0, capsys.readouterr().out
    found = json.loads((tmp_path / "run.json").read_text())["results"]
    assert found["keepalive-12"]["haproxy"][0]["cpu"] > 0
    assert found["start"]["nginx-full"][0]["figure"] > 0


def line(pid: int) -> bytes:
    """The command line of a process; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.programs
@needs_peers
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_stopped(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--cases", "conns-1000", "--targets", "nginx", "--seconds", "20"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as bench:
        assert bench.stderr
        everything = 6      # itself, wrk, and two nginx of two processes each
        assert poll(lambda: len(descendants(bench.pid)) >= everything, 20)
        lines = [line(pid) for pid in descendants(bench.pid)]
        home, = {found[0] for each in lines if (found := re.search(rb"/[\w/]+/lbd-bench-\w+", each))}
        bench.send_signal(number)
        bench.stderr.read()         # ends when nothing holds it any more
        assert bench.wait() == 128 + number
    assert not any(home in line(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    assert not Path(home.decode()).exists()
