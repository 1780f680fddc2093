"""lbd.cli.config: what is shown of the configuration in force."""

import json
from typing import Any

import pytest

from lbd.cli.command_line import main

ROWS = [{"key": "log.level", "value": "info", "origin": "default"},
        {"key": "backends.app.servers.a.weight", "value": 3, "origin": "override by me"},
        {"key": "global.user", "value": None, "origin": "/etc/lbd.toml:3"}]


@pytest.mark.parametrize(("words", "keys"), [
    ([], [1, 2]), (["--all"], [0, 1, 2]), (["backends.app"], [1]), (["log"], []), (["log", "--all"], [0])])
def test_shown(fake_daemon: Any, capsys: pytest.CaptureFixture[str], words: list[str], keys: list[int]) -> None:
    fake_daemon.answers["GET", "/v1/config"] = 200, {"generation": 3, "settings": ROWS}
    assert main(["config", *words, "--json", "--admin", fake_daemon.bind]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == [ROWS[place] for place in keys]
    assert main(["config", *words, "--admin", fake_daemon.bind]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(keys) + 1
