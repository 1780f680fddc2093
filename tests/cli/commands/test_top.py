"""`lbd top`: what it says where it cannot run. What it shows is tested with its screens."""

import pytest

from lbd.cli.command_line import main

STATUS = {"generation": 1, "backends": {}, "listeners": {}, "workers": []}


def test_without_a_daemon(tmp_path, capsys):
    assert main(["top", "--admin", f"unix:{tmp_path}/none"]) == 1
    assert "no answer from a running lbd" in capsys.readouterr().err


def test_without_a_terminal(fake_daemon, capsys):
    fake_daemon.answers["GET", "/v1/status"] = 200, STATUS
    assert main(["top", "--admin", fake_daemon.bind]) == 1
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--every", "0s"], ["--every", "often"], ["--every"]])
def test_bad_usage(words):
    assert main(["top", *words]) == 2
