"""lbd.cli.shells.fish, in a real fish."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Shell = Callable[[str], tuple[str, str, dict[str, str]]]


@pytest.mark.parametrize(("words", "wanted"), [
    ("lbd dr", ["drain"]), ("lbd drain --wa", ["--wait"]), ("lbd drain app/", ["app/one", "app/two"]),
    ("lbd wait dr", ["drained"]), ("lbd completion f", ["fish"]), ("lbd --algorithm least-t", ["least-time"]),
    ("lbd check -c lbd.t", ["lbd.toml"])])
def test_completed(shell: Shell, tmp_path: Path, words: str, wanted: list[str]) -> None:
    path, script, environment = shell("fish")
    (tmp_path / "lbd.toml").touch()
    done = subprocess.run([path, "--no-config", "-c", f"source {script}; complete -C '{words}'"], env=environment,
                          cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == wanted


def test_descriptions_are_shown(shell: Shell, tmp_path: Path) -> None:
    path, script, environment = shell("fish")
    done = subprocess.run([path, "--no-config", "-c", f"source {script}; complete -C 'lbd drain --'"], env=environment,
                          cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--wait\treturn when nothing is in flight any more" in done.stdout
