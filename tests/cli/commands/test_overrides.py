"""lbd.cli.commands.overrides: listed, and ended."""

import json
from typing import Any

import pytest

from lbd.cli.command_line import main

ROWS = [{"backend": "app", "server": "a", "mode": "drain", "weight": 3, "who": "me", "reason": "disk",
         "at": "2026-01-01T00:00:00Z", "until": None},
        {"backend": "api", "server": "", "health": "up", "who": "me", "reason": "", "at": "2026-01-01T00:00:00Z",
         "until": None}]


def test_listed(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["GET", "/v1/overrides"] = 200, {"overrides": ROWS}
    assert main(["overrides", "--admin", fake_daemon.bind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "mode drain, weight 3" in lines[1]
    assert "(all)" in lines[2]
    assert main(["overrides", "api", "--json", "--admin", fake_daemon.bind]) == 0
    assert json.loads(capsys.readouterr().out) == ROWS[1:]
    fake_daemon.answers["GET", "/v1/overrides"] = 200, {"overrides": []}
    assert main(["overrides", "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out == "none: everything is as the files say\n"


@pytest.mark.parametrize(("words", "query"), [
    ([], ""), (["app"], "?backend=app"), (["app/a"], "?backend=app&server=a")])
def test_ended(fake_daemon: Any, capsys: pytest.CaptureFixture[str], words: list[str], query: str) -> None:
    fake_daemon.answers["DELETE", "/v1/overrides" + query] = 200, {"ended": 2}
    assert main(["overrides", *words, "--clear", "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out == "2 ended: what the files say is in force again\n"


def test_kept_in_the_file(fake_daemon: Any, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text('[backends.app.servers]\na = { address = "10.0.0.1:80" }\n')
    fake_daemon.answers["GET", "/v1/overrides"] = 200, {"overrides": ROWS}
    fake_daemon.answers["POST", "/v1/reload"] = 200, {}
    fake_daemon.answers["DELETE", "/v1/overrides?backend=app&server=a"] = 200, {"ended": 1}
    assert main(["overrides", "--persist", str(file), "--admin", fake_daemon.bind]) == 1
    assert 'weight = 3' in file.read_text()
    out, err = capsys.readouterr()
    assert out.splitlines() == ["backends.app.servers.a.mode = drain", "backends.app.servers.a.weight = 3"]
    assert err == "lbd: backends.api.servers.*.health: no key of a file\n"
    assert [method for method, _, _, _ in fake_daemon.seen] == ["GET", "POST", "DELETE"]
