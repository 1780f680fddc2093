"""lbd.cli.commands.wait: exit codes."""

import json
from typing import Any

import pytest

from lbd.cli.command_line import main

UP = {"mode": "ready", "health": "up", "weight": 1, "in_flight": 0}


def test_met_or_not(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["GET", "/v1/backends/app"] = 200, {"servers": {"a": UP, "b": {**UP, "mode": "maint"}}}
    words = ["app", "--timeout", "0s", "--admin", fake_daemon.bind]
    assert main(["wait", "usable=1", *words]) == 0
    assert main(["wait", "usable=2", *words]) == 3
    assert capsys.readouterr().out == (
        "app: usable=1\napp: not usable=2 in time: b is maint, up, 0 in flight\n")
    assert main(["wait", "usable=1", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"condition": "usable=1", "target": "app", "met": True}


def test_refusals(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wait", "better", "app"]) == 2
    assert "drained, up, down or usable=N" in capsys.readouterr().err
    assert main(["wait", "up", "app/x", "--admin", fake_daemon.bind]) == 1
