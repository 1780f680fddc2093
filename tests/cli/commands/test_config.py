"""lbd.cli.commands.config: what is shown of the configuration in force."""

import json
from pathlib import Path
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


FILE = """[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
[backends.app]
request_headers = { set = { X-Token = "abc" } }
[backends.app.servers]
a = { address = "127.0.0.1:2", weight = 4 }
"""


@pytest.mark.parametrize(("words", "secret"), [([], "(hidden)"), (["--no-redact"], "abc")])
def test_of_a_file_without_a_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str],
                                    secret: str) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text(FILE)
    assert main(["config", "--offline", "-c", str(file), "backends", "--json", *words]) == 0
    found = {row["key"]: (row["value"], row["origin"]) for row in json.loads(capsys.readouterr().out)["settings"]}
    assert found["backends.app.servers.a.weight"] == (4, f"{file}:7")
    assert found["backends.app.request_headers.set"][0] == {"X-Token": secret}
    assert main(["config", "--offline", "-c", str(file), "--all", *words]) == 0
    assert "log.level" in capsys.readouterr().out


def test_offline_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--offline"]) == 2
    assert "-c FILE" in capsys.readouterr().err


def test_secrets_are_asked_for(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["GET", "/v1/config?secrets=yes"] = 200, {"generation": 3, "settings": ROWS}
    assert main(["config", "--no-redact", "--admin", fake_daemon.bind]) == 0
