"""lbd.cli.commands.simulate: from options to a comparison, and what is said of wrong options."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from lbd.balance import ALGORITHMS
from lbd.cli.command_line import main

CONFIG = """
[global]
workers = 3
[health.web]
interval = "1s"
[listeners.web]
bind = "127.0.0.1:80"
backend = "app"
[backends.app]
algorithm = { name = "consistent-hash", key = "cookie:tenant", balance_factor = 1.25 }
health = "web"
sticky = { cookie = "HOME" }
[backends.app.servers]
one = "10.0.0.1:80"
two = { address = "app.internal:80", weight = 2 }
spare = { address = "10.0.0.3:80", backup = true }
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gc, "unfreeze", lambda: None)       # what the test process has stays frozen
    Path("lbd.toml").write_text(CONFIG)


def simulate(capsys: pytest.CaptureFixture[str], words: str) -> Any:
    assert main(["simulate", "--json", *words.split()]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def named(data: Any, name: str) -> Any:
    return next(one for one in data["algorithms"] if one["name"] == name)


def test_every_algorithm_and_the_shape_of_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    data = simulate(capsys, "--servers 5ms,5ms,40ms --requests 1000 --seed 5")
    assert {one["name"] for one in data["algorithms"]} == set(ALGORITHMS)
    assert set(data) == {"fleet", "load", "algorithms", "recommendation"}
    for one in data["algorithms"]:
        assert set(one) == {"name", "mean", "p50", "p95", "p99", "failed", "duration", "shares", "busy",
                            "p99_over_time"}
        assert one["p50"] <= one["p95"] <= one["p99"]
        assert sum(one["shares"].values()) == pytest.approx(1)
    assert data["load"]["rate"] == pytest.approx(0.7 * 8 * (200 + 200 + 25))
    assert data["load"]["workers"] == 2
    assert named(data, "least-connections")["p99"] < named(data, "round-robin")["p99"]
    assert data["recommendation"]["algorithm"] in ALGORITHMS
    assert data == simulate(capsys, "--servers 5ms,5ms,40ms --requests 1000 --seed 5")
    assert data != simulate(capsys, "--servers 5ms,5ms,40ms --requests 1000 --seed 6")


def test_a_page_with_a_chart(capsys: pytest.CaptureFixture[str]) -> None:
    words = "simulate --servers 5ms,5ms --requests 1000 --plot --algorithm random --algorithm first --slow a@50%:x3"
    assert main(words.split()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("servers  a 5.00 ms, b 5.00 ms; 8 at a time each\n")
    assert "faults   slow a@50%:x3" in out
    assert "\n→ " in out
    assert "━━ random" in out


def test_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    data = simulate(capsys, "-c lbd.toml --requests 1500 --servers one=5ms,two=10ms,spare=1ms "
                            "--algorithm consistent-hash --algorithm weighted-round-robin --dies one@50%")
    assert data["fleet"]["backend"] == "app"
    assert [(one["name"], one["weight"], one["backup"]) for one in data["fleet"]["servers"]] == [
        ("one", 1, False), ("two", 2, False), ("spare", 1, True)]
    assert data["load"]["workers"] == 3
    assert named(data, "weighted-round-robin")["shares"]["spare"] == 0
    assert data["load"]["rate"] == pytest.approx(0.7 * 8 * (200 + 100))


def test_a_log_makes_a_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"time": number / 100, "total": 0.01 if number % 2 else 0.03, "server": "xy"[number % 2],
              "client": f"192.0.2.{number % 50}", "target": f"/{number % 9}"} for number in range(1000)]
    Path("access.log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = simulate(capsys, "--log access.log --algorithm url-hash --algorithm least-time")
    assert [(one["name"], one["seconds"]) for one in data["fleet"]["servers"]] == [
        ("x", pytest.approx(0.03)), ("y", pytest.approx(0.01))]
    assert data["load"]["requests"] == 1000
    assert data["load"]["rate"] == pytest.approx(100, rel=0.01)
    closed = simulate(capsys, "--log access.log --servers 5ms,5ms --concurrency 5 --requests 100 --algorithm random")
    assert closed["load"]["requests"] == 100
    assert (closed["load"]["rate"], closed["load"]["concurrency"]) == (None, 5)


def test_an_algorithm_of_ones_own(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                                  tmp_path: Path) -> None:
    Path("simulated_own.py").write_text("class Last:\n    def __init__(self, *_): pass\n"
                                        "    def rebuild(self, servers): self.servers = servers\n"
                                        "    def pick(self, *_): return self.servers[-1]\n")
    monkeypatch.syspath_prepend(tmp_path)
    data = simulate(capsys, "--servers 5ms,5ms --requests 200 --algorithm simulated_own:Last")
    assert [one["name"] for one in data["algorithms"]] == ["simulated_own:Last"]


def test_retries_and_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--servers 5ms,5ms --requests 600 --rate 100 --dies a@50% --algorithm round-robin --writes 0%"
    assert simulate(capsys, words)["algorithms"][0]["failed"] == 0
    assert simulate(capsys, words + " --retries 0")["algorithms"][0]["failed"] > 0
    assert simulate(capsys, "--servers 5ms --requests 500 --tail 0 --timeout 1ms --algorithm first")[
        "algorithms"][0]["failed"] == 500


@pytest.mark.parametrize(("words", "message"), [
    ("", "nothing to simulate: give --servers 5ms,5ms,40ms, or -c FILE (see lbd simulate --help)"),
    ("--servers 5ms --rate 5 --concurrency 5", "--rate and --concurrency exclude each other"),
    ("--servers 5ms --algorithm least-conections", '--algorithm: "least-conections" is no algorithm; must be '),
    ("--servers 5 ", '--servers: "5" is not TIME, TIMExWEIGHT or NAME=TIME, like 5ms, 40msx2 or a=5ms'),
    ("--servers 5ms --tail x", '--tail: "x" is a string; must be a number from 0 to 3 (see lbd simulate --help)'),
    ("--servers 5ms --tail nan", '--tail: "nan" is out of range; must be a number from 0 to 3'),
    ("--servers 5ms --rate 0", '--rate: "0" is out of range; must be a number from 0.001 to 1000000'),
    ("--servers 5ms --requests 0", '--requests: "0" is out of range; must be a whole number from 1 to 1000000'),
    ("--servers 5msx0,1msx0", "no server takes requests: all have the weight 0, or another mode than ready"),
    ("--servers 5ms --dies b@50%", '--dies: "b" is no server; must be a'),
    ("-c lbd.toml --backend ap", '--backend: "ap" is no backend of the configuration; must be app; did you mean'),
])
def test_wrong_options(capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert main(["simulate", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"lbd: {message}")
    assert len(err.splitlines()) == 1


def test_files_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--log", "none.log"]) == 1
    assert capsys.readouterr().err == "lbd: --log: none.log cannot be read: No such file or directory\n"
    assert main(["simulate", "-c", "none.toml"]) == 1
    assert "none.toml: cannot be read" in capsys.readouterr().err
