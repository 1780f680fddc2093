"""lbd.cli.commands.confirm: the outcome as exit code and in words."""

from typing import Any

import pytest

from lbd.cli.command_line import main


def test_confirmed_or_not(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/confirm"] = 200, {"generation": 7}
    assert main(["confirm", "--admin", fake_daemon.bind]) == 0
    assert main(["confirm", "--admin", fake_daemon.bind, "--json"]) == 0
    assert capsys.readouterr().out == 'confirmed: generation 7 stays in force\n{\n  "generation": 7\n}\n'
    fake_daemon.answers["POST", "/v1/confirm"] = 409, {"error": "no generation waits to be confirmed"}
    assert main(["confirm", "--admin", fake_daemon.bind]) == 1
    assert capsys.readouterr().err == "lbd: no generation waits to be confirmed\n"
