"""Tests of lbd.cli.commands.check: findings for people, for terminals and for machines, and the exit code."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from lbd.cli.command_line import main
from lbd.cli.commands import check
from lbd.errors import Problem
from lbd.schema import BackendConfig, Config, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from tests.authority import Authority

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


def shown(*problems: Problem, terminal: bool = True) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=True,
                      width=200)
    check.show(problems, console)
    return written.getvalue()


def test_a_terminal_shows_the_line_and_the_place() -> None:
    Path("a.toml").write_text("x = 1\nbackend = [\t'[red]ap[/red]' ]\n")
    problem = Problem("a.toml", 2, 13, "listeners.web.backend", "[bold]message")
    assert shown(problem) == (
        "a.toml:2:13: listeners.web.backend: [bold]message\n"
        "  2 | backend = [ '[red]ap[/red]' ]\n"
        "    |             ^\n")
    assert shown(problem, terminal=False) == "a.toml:2:13: listeners.web.backend: [bold]message\n"


def test_a_long_line_is_cut_to_the_place() -> None:
    Path("a.toml").write_text("x" * 500 + "HERE" + "y" * 500)
    lines = shown(Problem("a.toml", 1, 501, "", "message")).splitlines()
    assert len(lines[1]) < 130
    assert lines[1][lines[2].index("^"):].startswith("HERE")


@pytest.mark.parametrize("problem", [
    Problem("a.toml", 0, 0, "", "message"), Problem("a.toml", 9, 1, "", "message"),
    Problem("gone.toml", 1, 1, "", "message")])
def test_places_that_cannot_be_shown(problem: Problem) -> None:
    Path("a.toml").write_text("x = 1\n")
    assert shown(problem) == f"{problem}\n"


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


def test_chains_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Authority(tmp_path, "Root")
    between = root.authority("Between")
    leaf = between.issue("leaf.pem", "a.test").read_bytes()
    tls = 'tls = { certificates = "a.pem", client_ca = "c.pem" }\n'
    text = (GOOD.replace('backend = "app"\n', 'backend = "app"\n' + tls)
            + '[admin]\nbind = "127.0.0.1:81"\ntoken_file = "token"\ntls = { cert = "a.pem", client_ca = "c.pem" }\n')
    (tmp_path / "token").write_text("x" * 40)
    (tmp_path / "c.pem").write_bytes(Authority(tmp_path, "Old").authority("Other", days=(-9, -2)).file.read_bytes())
    (tmp_path / "a.pem").write_bytes(leaf + root.file.read_bytes() + between.file.read_bytes())
    assert run(text) == 0
    said = capsys.readouterr().err
    order = 'has its chain in the wrong order: certificate 2, "Root", stands where "Between" must'
    assert f"lbd.toml:4:9: warning: listeners.web.tls.certificates: {tmp_path}/a.pem {order}" in said
    assert f"warning: admin.tls.cert: {tmp_path}/a.pem {order}" in said
    for key in ("listeners.web.tls", "admin.tls"):
        assert f'{key}.client_ca: the file holds a certificate (number 1, "Other") that expired on ' in said
    (tmp_path / "a.pem").write_bytes(leaf)
    assert run(text) == 0
    assert capsys.readouterr().err.count('a.pem ends with a certificate of "Between", which is no root') == 2
    (tmp_path / "c.pem").write_bytes(root.file.read_bytes())
    (tmp_path / "a.pem").write_bytes(leaf + between.file.read_bytes())
    assert run(text) == 0
    assert capsys.readouterr().err == ""
    (tmp_path / "a.pem").write_bytes(between.file.read_bytes())
    assert run(text) == 1
    assert "admin.tls.cert: " in capsys.readouterr().err


def test_certificates_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace('backend = "app"\n', 'backend = "app"\ntls.certificates = "a.pem"\n')
    assert run(text) == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert f"lbd.toml:4:5: listeners.web.tls.certificates: cannot read {tmp_path}/a.pem: No such file" in said
    assert run(text + '[backends.app.tls]\nca = "b.pem"\n[backends.app.servers.c]\naddress = "https://c:1"\n') == 1
    said = capsys.readouterr().err
    assert "listeners.web.tls.certificates: cannot read" in said
    assert "lbd.toml:8:1: backends.app.tls.ca: cannot read" in said
    Authority(tmp_path).issue("a.pem", "a.example.com")
    assert run(text) == 0


def test_names_of_files_give_a_terminal_no_orders() -> None:
    found = Problem("a\x1b[31m.toml", 1, 1, "listeners.web.tls.certificates", "/c/\x1b]0;x\x07\n.pem: it is damaged")
    assert check.headline(found).plain.isprintable()


def test_accounts_are_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD + '[global]\nuser = "no such user"\ngroup = "root"\n') == 0
    assert capsys.readouterr().err == (
        'lbd.toml:7:1: warning: global.user: this machine has no user "no such user", and lbd would not start on it\n')
