"""The words that commands for runtime changes share."""

import json
from typing import Any

import pytest

from lbd.cli import runtime_changes
from lbd.cli.command_line import main
from lbd.cli.daemon_client import DaemonAnswer
from lbd.errors import LbdError, UsageError


@pytest.mark.parametrize(("target", "path"), [
    ("app", "/v1/backends/app"), ("app/a", "/v1/backends/app/servers/a"), ("a.b/c:1", "/v1/backends/a.b/servers/c%3A1"),
    ("app/a@10.0.0.1", "/v1/backends/app/servers/a@10.0.0.1")])
def test_places(target: str, path: str) -> None:
    assert runtime_changes.target_path(target) == path


@pytest.mark.parametrize("target", ["", "/a", "app/", "a/b/c"])
def test_what_is_no_place(target: str) -> None:
    with pytest.raises(UsageError, match="is not BACKEND/SERVER"):
        runtime_changes.target_path(target)


def test_answers() -> None:
    assert runtime_changes.json_object(DaemonAnswer(201, {"x": 1})) == {"x": 1}
    problem = {"file": "the request", "line": 0, "column": 0, "key": "ttl", "message": "no"}
    with pytest.raises(LbdError, match=r"^one error\nthe request: ttl: no$"):
        runtime_changes.json_object(DaemonAnswer(422, {"detail": "one error", "problems": [problem]}))
    with pytest.raises(LbdError, match="the daemon answered 200"):
        runtime_changes.json_object(DaemonAnswer(200, None))


@pytest.mark.parametrize(("words", "body", "text"), [
    (["drain", "app/a", "--reason", "disk", "--for", "10m"], {"mode": "drain", "reason": "disk", "for": "10m"},
     "app/a: drains"),
    (["ready", "app/a"], {"mode": "ready", "reason": ""}, "app/a: takes requests"),
    (["maint", "app/a"], {"mode": "maint", "reason": ""}, "app/a: is in maintenance"),
    (["maint", "app/a", "--cut"], {"mode": "maint", "reason": "", "cut": "0s"},
     "app/a: is in maintenance; what is at it is cut"),
    (["drain", "app/a", "--cut", "30s"], {"mode": "drain", "reason": "", "cut": "30s"},
     "app/a: drains; what is left is cut after 30s"),
    (["weight", "app/a", "50"], {"weight": 50, "reason": ""}, "app/a: weight 50")])
def test_changes(fake_daemon: Any, capsys: pytest.CaptureFixture[str], words: list[str], body: Any, text: str) -> None:
    path = "/v1/backends/app/servers/a"
    fake_daemon.answers["PATCH", path] = 200, {"name": "a"}
    assert main([*words, "--admin", fake_daemon.bind]) == 0
    assert capsys.readouterr().out == text + "\n"
    assert json.loads(fake_daemon.seen[0][3]) == body
    assert main([*words, "--admin", fake_daemon.bind, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "a"}
    fake_daemon.answers["PATCH", path] = 404, {"detail": "there is none"}
    assert main([*words, "--admin", fake_daemon.bind]) == 1
    assert capsys.readouterr().err == "lbd: there is none\n"
