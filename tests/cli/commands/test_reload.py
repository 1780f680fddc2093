"""lbd.cli.commands.reload: the outcome as exit code and in words."""

import json
from typing import Any

import pytest

from lbd.cli.commands import reload
from lbd.cli.parser import Parser

PROBLEM = {"file": "lbd.toml", "line": 3, "column": 1, "key": "listeners.web.bnid", "message": "unknown key"}


def run(daemon: Any, *more: str) -> int:
    parser = Parser("lbd reload", "reload")
    reload.add_arguments(parser)
    return reload.run(parser.read_words(["--admin", daemon.bind, *more]))


def test_done(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/reload"] = 200, {"generation": 7}
    assert run(fake_daemon) == 0
    assert capsys.readouterr().out == "reloaded: generation 7 is in force\n"


def test_nothing_to_change(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/reload"] = 200, {"generation": 7, "changed": False}
    assert run(fake_daemon) == 0
    assert capsys.readouterr().out == "nothing to change: generation 7 is in force\n"


def test_refused(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/reload"] = 422, {"error": "1 error in lbd.toml", "problems": [PROBLEM]}
    assert run(fake_daemon) == 1
    assert capsys.readouterr().err == ("lbd: nothing was changed: 1 error in lbd.toml\n"
                                       "lbd.toml:3:1: listeners.web.bnid: unknown key\n")


def test_json(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/reload"] = 422, {"error": "no"}
    assert run(fake_daemon, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False, "status": 422, "answer": {"error": "no"}}


def test_force(fake_daemon: Any) -> None:
    fake_daemon.answers["POST", "/v1/reload?force=1"] = 200, {"generation": 7}
    assert run(fake_daemon, "--force") == 0


def test_degraded(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["POST", "/v1/reload"] = 200, {"generation": 7, "refused": ["d/a.toml:1:1: not valid TOML"]}
    assert run(fake_daemon) == 1
    out, err = capsys.readouterr()
    assert out == "reloaded: generation 7 is in force\n"
    assert err.endswith("stays in force\nd/a.toml:1:1: not valid TOML\n")
    fake_daemon.answers["POST", "/v1/reload?confirm=1m"] = 200, {"generation": 7}
    assert run(fake_daemon, "--confirm", "1m") == 0
    assert capsys.readouterr().out.endswith('unless "lbd confirm" comes within 1m\n')
