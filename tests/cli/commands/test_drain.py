"""lbd.cli.commands.drain: with and without waiting."""

from typing import Any

import pytest

from lbd.cli import wait_conditions
from lbd.cli.command_line import main

PATH = "/v1/backends/app/servers/a"


@pytest.mark.parametrize(("in_flight", "code", "text"), [
    (0, 0, "app/a: drained"), (1, 3, "app/a: not drained in time: a is drain, up, 1 in flight")])
def test_waits(fake_daemon: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, in_flight: int,
               code: int, text: str) -> None:
    monkeypatch.setattr(wait_conditions, "PAUSE", 0.0)
    fake_daemon.answers["PATCH", PATH] = 200, {"name": "a"}
    fake_daemon.answers["GET", PATH] = 200, {"mode": "drain", "health": "up", "weight": 1, "in_flight": in_flight}
    assert main(["drain", "app/a", "--wait", "--timeout", "0s", "--admin", fake_daemon.bind]) == code
    assert capsys.readouterr().out == text + "\n"
