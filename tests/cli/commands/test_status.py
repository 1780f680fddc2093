"""lbd.cli.commands.status: what is shown of the daemon's answer."""

import json
from typing import Any

import pytest

from lbd.cli.commands import status
from lbd.cli.parser import Parser
from lbd.errors import LbdError

SERVER = {"address": "127.0.0.1:9001", "health": "down", "reason": "GET /healthz: 503", "mode": "ready", "weight": 2,
          "backup": False, "in_flight": 3, "connections": 4, "requests": 1234, "codes": {"2xx": 1200, "5xx": 34},
          "connection_errors": 1, "latency_seconds": 0.0123, "requests_per_second": 4.21,
          "since": "2026-01-01T00:00:00Z"}
ANSWER: dict[str, Any] = {
    "version": "0.1.0", "pid": 4711, "time": "2026-01-01T00:05:30Z", "state": "ready", "uptime_seconds": 7505.2,
    "last_reload": {"success": True, "time": "2026-01-01T00:00:00Z", "error": ""},
    "generation": 3, "worker_restarts": 0,
    "workers": [{"slot": 0, "pid": 4712, "state": "serving", "generation": 3, "connections": 5, "requests": 99,
                 "uptime_seconds": 61.0}],
    "listeners": {"web": {"mode": "http", "bind": ["127.0.0.1:80", "[::1]:80"], "connections": 5, "accepted": 17}},
    "backends": {"app": {"algorithm": "round-robin", "servers": {
        "a": SERVER, "b": {**SERVER, "latency_seconds": None, "codes": {}, "backup": True, "reason": ""}}}},
}


def run(daemon: Any, *more: str) -> int:
    parser = Parser("lbd status", "status")
    status.add_arguments(parser)
    return status.run(parser.read_words(["--admin", daemon.bind, *more]))


def test_page(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["GET", "/v1/status"] = 200, ANSWER
    assert run(fake_daemon) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == "lbd 0.1.0, pid 4711, ready, generation 3, up 2 h 5 min"
    assert "app a 127.0.0.1:9001 down 5 min 30 s ready 2 3 4.2 1234 34 1 12.3 ms GET /healthz: 503" in rows
    assert "app b (backup) 127.0.0.1:9001 down 5 min 30 s ready 2 3 4.2 1234 0 1 - -" in rows
    assert "web http 127.0.0.1:80, [::1]:80 5 17 - 0" in rows
    assert "0 4712 serving 3 5 99 1 min 1 s" in rows


def test_a_refused_reload_is_shown_first(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    last = {"success": False, "time": "2026-01-02T00:00:00Z", "error": "lbd.toml:1:1: x: unknown key\nlbd.toml: more"}
    fake_daemon.answers["GET", "/v1/status"] = 200, {**ANSWER, "last_reload": last, "worker_restarts": 1}
    assert run(fake_daemon) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].rstrip().endswith(", 1 worker restart")
    assert [line.rstrip() for line in lines[1:4]] == [
        "the reload of 2026-01-02T00:00:00Z was refused; generation 3 serves on:",
        "  lbd.toml:1:1: x: unknown key", "  lbd.toml: more"]


def test_what_servers_say_does_not_steer_the_terminal(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    evil = {**SERVER, "reason": "\x1b]0;owned\x07[red]x[/red]"}
    fake_daemon.answers["GET", "/v1/status"] = 200, {**ANSWER, "backends": {"app": {"servers": {"a": evil}}}}
    assert run(fake_daemon) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]x[/red]" in shown


def test_json(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["GET", "/v1/status"] = 200, ANSWER
    assert run(fake_daemon, "--json") == 0
    assert json.loads(capsys.readouterr().out) == ANSWER


def test_before_the_first_generation(fake_daemon: Any) -> None:
    fake_daemon.answers["GET", "/v1/status"] = 200, {"generation": 0, "workers": [], "listeners": {}, "backends": {}}
    assert run(fake_daemon) == 0


@pytest.mark.parametrize(("code", "data", "message"), [
    (500, {"error": "broken"}, "no status from unix:.*: broken"),
    (200, [1], "no status from unix:.*: the daemon answered 200"),
    (200, {"generation": 1}, "is of another version"),
    (200, {**ANSWER, "backends": [1]}, "is of another version"),
])
def test_odd_answers(fake_daemon: Any, code: int, data: object, message: str) -> None:
    fake_daemon.answers["GET", "/v1/status"] = code, data
    with pytest.raises(LbdError, match=message):
        run(fake_daemon)
