"""lbd.cli.commands.upgrade: it waits for the new version."""

from typing import Any

import pytest

from lbd.cli.command_line import main


def test_upgraded_or_not(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/upgrade"] = 202, {"from": "1.0", "to": "2.0", "upgrades": 0}
    fake_daemon.answers["GET", "/v1/status"] = 200, {"version": "2.0", "generation": 9, "upgrades": 1, "state": "ready"}
    assert main(["upgrade", "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out == "upgraded: lbd 1.0 -> 2.0, generation 9\n"
    assert main(["upgrade", "--admin", fake_daemon.bind, "--json"]) == 0
    fake_daemon.answers["POST", "/v1/upgrade"] = 409, {"error": "no"}
    assert main(["upgrade", "--admin", fake_daemon.bind]) == 1
    assert capsys.readouterr().err == "lbd: nothing was changed: no\n"
