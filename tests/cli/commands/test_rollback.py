"""lbd.cli.commands.rollback: the outcome as exit code and in words."""

from typing import Any

import pytest

from lbd.cli.command_line import main


def test_rolled_back_or_not(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/rollback"] = 200, {"generation": 7, "plan": {"changes": []}}
    assert main(["rollback", "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out == "rolled back: generation 7 is in force; the files say something else\n"
    assert main(["rollback", "--admin", fake_daemon.bind, "--json"]) == 0
    fake_daemon.answers["POST", "/v1/rollback"] = 409, {"error": "there is none"}
    assert main(["rollback", "--admin", fake_daemon.bind]) == 1
    assert capsys.readouterr().err == "lbd: nothing was changed: there is none\n"
