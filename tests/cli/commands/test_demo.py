"""`lbd demo`: the configuration it makes, and the whole of it as a process."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbd.cli.commands import demo
from lbd.cli.example_files import example_file
from tests.children import below

PLACES = demo.DemoSetup(Path("/run/x"), 81, 82, {"fast": 91, "middle": 92, "slow": 93})


def source() -> dict[str, object]:
    return tomllib.loads(example_file("demo.toml").read_text("utf-8"))


def test_every_address_is_replaced() -> None:
    before, after = source(), demo.arranged(source(), PLACES)
    assert re.findall(r"127\.0\.0\.1:(\d+)", str(after)) == ["82", "81", "91", "92", "93", "93"]
    assert str(after).count("/run/x/") == 2
    assert "/tmp/" not in str(after)
    assert list(before["backends"]["app"]["servers"]) == list(demo.SERVERS)  # type: ignore[index]


def test_servers_are_the_ones_that_the_file_tells_of() -> None:
    text = example_file("demo.toml").read_text("utf-8")
    for name, delay in demo.SERVERS.items():
        assert f"--name {name} --delay {delay}" in text


def test_a_port_in_use_is_not_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert demo.free_port(port) not in (0, port)
    assert demo.free_port(port) == port


def test_what_to_try_names_the_ports_of_this_run() -> None:
    text = "\n".join(command for _, command in demo.attempts(PLACES))
    for part in ("127.0.0.1:81/", "127.0.0.1:91/_demo/health", "127.0.0.1:82/metrics", "unix:/run/x/admin.sock"):
        assert part in text


def test_what_to_try_is_the_command_lbd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = tmp_path / "my venv" / "lbd"
    beside.parent.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.command(str(beside.with_name("python3"))) == "lbd"
    beside.touch(0o755)
    assert demo.command(str(beside.with_name("python3"))) == f"'{beside}'"
    monkeypatch.setenv("PATH", str(beside.parent))
    assert demo.command(str(beside.with_name("python3"))) == "lbd"
    assert not [line for _, line in demo.attempts(PLACES) if "-m lbd" in line]


class Running:
    """A running `lbd demo`: its output until it was ready, and a descriptor for each process below it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "lbd", "demo", "--port", "0"], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout
        self.out = self.process.stdout
        self.shown = ""
        while "Ctrl-C stops everything" not in self.shown:
            line = self.out.readline()
            assert line, self.shown
            self.shown += line
        found = re.search(r"^lbd +(http://\S+)", self.shown, re.MULTILINE)
        assert found, self.shown
        self.url = found[1]
        folder = re.search(r"^configuration +(\S+)/demo\.toml", self.shown, re.MULTILINE)
        assert folder, self.shown
        self.folder = Path(folder[1])
        self.below = [os.pidfd_open(pid) for pid in descendants(self.process.pid)]

    def all_ended(self) -> bool:
        """Within 20 s each, every process below is no more."""
        return all(select.select([below], [], [], 20.0)[0] for below in self.below)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(20)
        self.out.close()
        for fd in self.below:
            os.close(fd)
        shutil.rmtree(self.folder, ignore_errors=True)  # a demo that was killed cannot remove it


def descendants(pid: int) -> list[int]:
    found = []
    for child in below(pid):
        found += [child, *descendants(child)]
    return found


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.close()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:
        return str(response.read().decode())


def test_it_works_and_one_interrupt_stops_everything(running: Running) -> None:
    assert len(running.below) >= 6  # three servers, the supervisor, two workers
    assert json.loads(get(f"{running.url}/hello"))["path"] == "/hello"
    assert json.loads(get(f"{running.url}/slow/page"))["server"] == "slow"
    assert get(f"{running.url}/about").startswith("This is lbd's demo.")
    running.process.send_signal(signal.SIGINT)
    running.out.read()
    assert running.process.wait(20) == 0
    assert running.all_ended()
    assert not running.folder.exists()


def test_nothing_is_left_behind_when_it_is_killed(running: Running) -> None:
    running.process.kill()
    assert running.all_ended()
