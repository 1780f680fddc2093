"""`lbd demo-server` as a process: it says where it listens, serves, and ends on a signal."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lbd", "demo-server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal(end: signal.Signals) -> None:
    with started("--port", "0", "--delay", "1ms", "--name", "tiny") as process:
        assert process.stdout
        assert process.stderr
        name, _, url = process.stdout.readline().strip().partition(": listening on ")
        assert name == "tiny"
        with urllib.request.urlopen(f"{url}/x") as response:
            assert json.load(response)["server"] == "tiny"
        process.send_signal(end)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_named_after_its_port() -> None:
    with started("--port", "0") as process:
        assert process.stdout
        line = process.stdout.readline().strip()
        assert line.startswith(f"server-{line.rpartition(':')[2]}: ")


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started("--port", str(port)) as process:
            assert process.wait(20) == 1
            assert process.stderr
            message = process.stderr.read()
    assert message.startswith(f"lbd: cannot listen on 127.0.0.1:{port}: ")
    assert "already in use" in message
    assert message.count("\n") == 1


def test_bad_usage() -> None:
    with started("--port", "99999") as process:
        assert process.wait(20) == 2
        assert process.stderr
        assert process.stderr.read().startswith('lbd: --port: "99999" ')
