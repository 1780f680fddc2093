"""lbd.cli.register: the command's life, and what is said to the daemon meanwhile."""

import json
import sys
from typing import Any

import pytest

from lbd.cli.asking import Daemon
from lbd.cli.command_line import main
from lbd.cli.register import local_host, own_address
from lbd.config.units import Address
from lbd.errors import UsageError

PATH = "/v1/backends/app/servers/own"


def words(fake_daemon: Any, *command: str) -> list[str]:
    return ["register", "--backend", "app", "--address", ":9001", "--name", "own", "--tag", "x", "--admin",
            fake_daemon.bind, "--", *command]


def test_it_registers_and_leaves_with_the_commands_code(fake_daemon: Any) -> None:
    fake_daemon.answers["PUT", PATH] = 201, {}
    fake_daemon.answers["DELETE", PATH + "?wait=0s"] = 200, {}
    assert main(words(fake_daemon, sys.executable, "-c", "raise SystemExit(5)")) == 5
    assert [(method, path) for method, path, _, _ in fake_daemon.seen] == [("PUT", PATH), ("DELETE", PATH + "?wait=0s")]
    assert json.loads(fake_daemon.seen[0][3]) == {"address": "127.0.0.1:9001", "weight": 1, "ttl": "15s", "tags": ["x"]}


def test_a_refused_one_ends_the_command(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["PUT", PATH] = 403, {"detail": "the backend takes no registrations"}
    assert main(words(fake_daemon, sys.executable, "-c", "import signal; signal.pause()")) == 1
    assert capsys.readouterr().err.startswith("lbd: ")


def test_what_cannot_be_run(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(fake_daemon, "/nowhere/at/all")) == 1
    assert capsys.readouterr().err == "lbd: cannot run /nowhere/at/all: No such file or directory\n"
    assert main(words(fake_daemon)) == 2


def test_own_addresses() -> None:
    daemon = Daemon(Address(path="/s"))
    assert own_address("10.0.0.1:80", daemon) == "10.0.0.1:80"
    assert own_address(":80", daemon) == "127.0.0.1:80"
    assert local_host(Daemon(Address("127.0.0.1", 9))) == "127.0.0.1"
    with pytest.raises(UsageError, match="must be HOST:PORT"):
        own_address(":0", daemon)
