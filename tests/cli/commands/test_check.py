"""Tests of lbd.cli.commands.check: findings for people, for terminals and for machines, and the exit code."""

import json
import re
from pathlib import Path

import pytest

from lbd.cli.command_line import main
from lbd.cli.commands import check
from lbd.errors import Problem
from lbd.schema import BackendConfig, Config, ListenerConfig, ServerConfig
from lbd.schema.units import Address

GOOD = '[listeners.web]\nbind = "127.0.0.1:80"\nbackend = "app"\n[backends.app.servers]\na = "10.0.0.1:80"\n'
BAD = GOOD.replace('"app"', '"ap"')
ERROR = 'lbd.toml:3:1: listeners.web.backend: "ap" is no backend; did you mean "app"?'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(text: str, *words: str) -> int:
    Path("lbd.toml").write_text(text)
    return main(["check", "-c", "lbd.toml", *words])


def test_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"OK: 1 listener, 1 backend, 1 server; at most 1\d\d series of metrics\n", out)
    assert err == ""


def test_warnings_do_not_hinder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD + '[backends.spare.servers]\nb = "10.0.0.2:80"\n') == 0
    out, err = capsys.readouterr()
    assert out.startswith("OK: 1 listener, 2 backends, 2 servers; ")
    assert err == "lbd.toml:6:11: warning: backends.spare: no listener and no route uses this backend\n"


def test_bad(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(BAD) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == ERROR
    assert err.splitlines()[-1] == "1 error, 1 warning"


def test_the_same_as_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    Path("lbd.toml").write_text(GOOD)
    assert main(["-c", "lbd.toml", "--check"]) == 0
    assert capsys.readouterr().out.startswith("OK: 1 listener, 1 backend, 1 server; ")


def test_options_in_place_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["check", "--listen", "127.0.0.1:80", "--server", "10.0.0.1:80", "--server", "10.0.0.2:80"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("OK: 1 listener, 1 backend, 2 servers; ")
    assert main([*words, "--algorithm", "lest-connections"]) == 1
    assert capsys.readouterr().err.startswith('command line: --algorithm: "lest-connections" is no algorithm')


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(BAD, "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert said["problems"][0] == {
        "file": "lbd.toml", "line": 3, "column": 1, "key": "listeners.web.backend",
        "message": '"ap" is no backend; did you mean "app"?', "warning": False}
    assert [problem["warning"] for problem in said["problems"]] == [False, True]
    assert run(GOOD, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["problems"]) == (True, [])
    assert said["series"] > 100


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", "none.toml"]) == 1
    assert capsys.readouterr().err == "none.toml: cannot be read: No such file or directory\n1 error\n"


def test_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_counts() -> None:
    server = ServerConfig(address=Address("10.0.0.1", 80))
    backends = {"a": BackendConfig(servers={"x": server, "y": server}), "b": BackendConfig(servers={"x": server})}
    config = Config(listeners={"web": ListenerConfig(bind=())}, backends=backends)
    assert check.summary(config) == "OK: 1 listener, 2 backends, 3 servers"
    warning = Problem("a", 1, 1, "", "x", True)
    assert check.counted([Problem("a", 1, 1, "", "x"), warning, warning]) == "1 error, 2 warnings"


def test_more_series_than_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD + "[metrics]\nmax_series = 100\n") == 0
    found = re.search(r"lbd.toml: warning: metrics.max_series: (1\d\d) series could be exported, .*; (\d+) of them",
                      capsys.readouterr().err)
    assert found is not None
    least = int(found[2])
    assert 100 < least < int(found[1])
    assert run(GOOD + f"[metrics]\nmax_series = {least}\n") == 0
    assert "less: servers' histograms, then servers will be left out" in capsys.readouterr().err


def test_accounts_are_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD + '[global]\nuser = "no such user"\ngroup = "root"\n') == 0
    assert capsys.readouterr().err == (
        'lbd.toml:7:1: warning: global.user: this machine has no user "no such user", and lbd would not start on it\n')
