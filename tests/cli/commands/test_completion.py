"""lbd.cli.commands.completion: the scripts, and what they ask for."""

from typing import Any

import pytest

from lbd.cli.command_line import main
from lbd.cli.shells import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("drain", "demo-server", "health-interval", "completion targets"))
    assert f"lbd completion {shell}" in text


def test_targets_are_those_of_the_daemon(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    backends = {"app": {"servers": {"a": {}}}, "b": {"servers": {}}}
    fake_daemon.answers["GET", "/v1/backends"] = 200, {"backends": backends}
    assert main(["completion", "targets", "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out.split() == ["app", "app/a", "b"]


@pytest.mark.parametrize("answer", [(500, {}), (200, []), (200, {"backends": 3})])
def test_nothing_is_said_where_nobody_knows(fake_daemon: Any, capsys: pytest.CaptureFixture[str], answer: Any) -> None:
    fake_daemon.answers["GET", "/v1/backends"] = answer
    assert main(["completion", "targets", "--admin", fake_daemon.bind]) == 0
    assert main(["completion", "targets", "--admin", "unix:/nope"]) == 0
    assert capsys.readouterr().out.split() == []


def test_a_shell_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "invalid choice" in capsys.readouterr().err
