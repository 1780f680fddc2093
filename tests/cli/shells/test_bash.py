"""lbd.cli.shells.bash, in a real bash."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[[str], tuple[str, str, dict[str, str]]]

ASK = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lbd; printf "%s\\n" "${COMPREPLY[@]}"'


@pytest.mark.parametrize(("words", "wanted"), [
    ("lbd dr", ["drain"]), ("lbd demo", ["demo", "demo-server"]), ("lbd --ver", ["--version"]),
    ("lbd -c x.toml st", ["status"]), ("lbd drain --wa", ["--wait"]),
    ("lbd drain app/", ["app/one", "app/two"]), ("lbd drain --reason drain app/t", ["app/two"]),
    ("lbd wait dr", ["drained"]), ("lbd wait up app/o", ["app/one"]), ("lbd completion f", ["fish"]),
    ("lbd --algorithm lea", ["least-connections", "least-time"]), ("lbd --algorithm = least-t", ["least-time"]),
    ("lbd check -c lb", ["lbd", "lbd.toml"]), ("lbd weight app/one 5 x", []), ("lbd drain --reason ", [])])
def test_completed(shell: Shell, tmp_path: Path, words: str, wanted: list[str]) -> None:
    path, script, environment = shell("bash")
    (tmp_path / "lbd.toml").touch()
    done = subprocess.run([path, "--norc", "-c", ASK, "ask", script, *words.split(" ")], env=environment, cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(filter(None, done.stdout.splitlines())) == wanted


@pytest.mark.parametrize(("words", "wanted"), [
    ("lbd drain app/a :", ["b", "c:1"]), ("lbd drain app/a : c", ["c:1"]), ("lbd drain app/a : c :", ["1"]),
    ("lbd wait drained app/a : b", ["b"]),
    ("lbd drain --admin 127.0.0.1 : 8405 app/o", ["app/one"]), ("lbd drain app/a : b --wa", ["--wait"])])
def test_names_with_colons(shell: Shell, tmp_path: Path, fake_daemon: Any, words: str, wanted: list[str]) -> None:
    path, script, environment = shell("bash")
    servers = {"one": {}, "a:b": {}, "a:c:1": {}}
    fake_daemon.answers["GET", "/v1/backends"] = 200, {"backends": {"app": {"servers": servers}}}
    line = words.replace(" : ", ":").replace(" :", ":")
    environment = {**environment, "COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = subprocess.run([path, "--norc", "-c", ASK, "ask", script, *words.split(" ")], env=environment, cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(filter(None, done.stdout.splitlines())) == wanted
