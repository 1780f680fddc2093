"""lbd.cli.commands.plan: two files without a daemon, a daemon's answer, and the exit codes."""

import json
from typing import Any

import pytest

from lbd.cli.command_line import main

TEXT = '[listeners.web]\nbind = "127.0.0.1:8080"\nbackend = "app"\n[backends.app.servers]\na = "10.0.0.1:80"\n'


@pytest.fixture
def files(tmp_path: Any) -> Any:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(TEXT)
    new.write_text(TEXT + 'b = "10.0.0.2:80"\n')
    return str(old), str(new)


def test_two_files(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = files
    assert main(["plan", "-c", new, "--against", old]) == 2
    assert capsys.readouterr().out == "+ backends.app.servers.b  add  10.0.0.2:80\n1 server added\n"
    assert main(["plan", "-c", old, "--against", old]) == 0
    assert capsys.readouterr().out == "no changes\n"


def test_json_and_errors(files: Any, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    old, new = files
    assert main(["plan", "-c", new, "--against", old, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["changes"][0]["path"] == "backends.app.servers.b"
    assert main(["plan", "-c", str(tmp_path / "none.toml"), "--against", old]) == 1
    assert main(["plan", "--against", old]) == 1


def test_standard_input(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-c", "-", "--against", "-"]) == 2
    assert "one of the two" in capsys.readouterr().err
    assert main(["plan", "-c", "-", "--admin", "unix:/nowhere"]) == 2
    assert "the daemon reads the file itself" in capsys.readouterr().err


def test_a_daemon(files: Any, fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    change = {"path": "backends.app.servers.b", "what": "changed", "reload": "drain", "about": "", "requests": 3,
              "connections": 4, "state": "goes", "edits": [
                  {"key": "address", "old": '"a"', "new": '"b"', "reload": "drain"}]}
    fake_daemon.answers["POST", "/v1/plan"] = 200, {"summary": "1 server changed", "changes": [change],
                                                    "restart": ["global.user"]}
    assert main(["plan", "-c", files[1], "--admin", fake_daemon.bind]) == 2
    assert json.loads(fake_daemon.seen[0][3]) == {"file": files[1]}
    assert capsys.readouterr().out.splitlines() == [
        "~ backends.app.servers.b  drain  (3 in flight, 4 connections)", '    address: "a" -> "b"', "    goes",
        "! only after a restart: global.user", "1 server changed"]


def test_a_daemon_that_refuses(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    problem = {"file": "f.toml", "line": 3, "column": 1, "key": "k", "message": "m"}
    fake_daemon.answers["POST", "/v1/plan"] = 422, {"error": "1 error", "problems": [problem]}
    assert main(["plan", "--admin", fake_daemon.bind]) == 1
    assert capsys.readouterr().err == "f.toml:3:1: k: m\nlbd: 1 error\n"
