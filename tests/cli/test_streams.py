"""lbd.cli.streams: what a command ends with whose reader has left."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

FILE = ('[listeners.web]\nbind = "127.0.0.1:8080"\nbackend = "app"\n[backends.app.servers]\na = "10.0.0.1:80"\n'
        'b = "10.0.0.2:80"\n')
STATUS = {"version": "1", "pid": 1, "state": "ready", "generation": 1, "uptime_seconds": 1.0, "backends": {},
          "listeners": {}, "workers": []}


# One interpreter imports what the commands need and forks one child for each, which ends as `python -m lbd` does.
# A standard stream without a descriptor is closed, as an interpreter finds it at its start.
LAUNCHER = """
import gc, importlib, json, os, runpy, socket, sys
import lbd.cli.commands.daemon
import lbd.cli.findings
import lbd.cli.foreground
from lbd.cli.command_line import MODULES
for module in MODULES.values():
    importlib.import_module(module)
gc.freeze()
asked = socket.socket(fileno=int(sys.argv[1]))
while True:
    words, fds, _, _ = socket.recv_fds(asked, 65536, 3)
    if not words:
        os._exit(0)
    child = os.fork()
    if not child:
        break
    for fd in fds:
        os.close(fd)
    asked.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
asked.close()
words, places, environment = json.loads(words)
os.environ.update(environment)
for number, name in enumerate(("stdin", "stdout", "stderr")):
    if number not in places:
        os.close(number)
        setattr(sys, name, None)
for number, fd in zip(places, fds):
    os.dup2(fd, number)
    os.close(fd)
sys.argv = ["lbd", *words]
runpy.run_module("lbd", run_name="__main__", alter_sys=True)
"""
Ended = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def ended() -> Iterator[Ended]:
    """The exit code, and what came on standard error, of lbd whose output or errors nobody reads from the start, or of
    whose standard streams some are closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)

    def ended(*words: str, output: bool = False, error: bool = False, closed: Sequence[int] = (),
              environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        gone, unread = os.pipe()
        os.close(gone)
        with tempfile.TemporaryFile() as told, open(os.devnull, "r+b") as nowhere:
            ends = {0: nowhere.fileno(), 1: unread if output else nowhere.fileno(),
                    2: unread if error else told.fileno()}
            places = [place for place in ends if place not in closed]
            socket.send_fds(ours, [json.dumps([words, places, environment or {}]).encode()],
                            [ends[place] for place in places])
            os.close(unread)
            code = int(ours.recv(64))
            told.seek(0)
            return code, told.read().decode()

    with ours, subprocess.Popen([sys.executable, "-c", LAUNCHER, str(theirs.fileno())], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]):
        theirs.close()
        yield ended
        ours.close()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lbd.toml"
    path.write_text(FILE)
    return str(path)


@pytest.mark.parametrize("words", [
    "version", "-V", "--help", "drain --help", "help", "help security", "man", "completion bash", "schema",
    "schema --json", "check -c FILE", "check --json -c FILE", "config --offline -c FILE",
    "config --offline -c FILE --json", "explain -c FILE http://x/", "explain -c FILE http://x/ --json",
    "plan -c FILE --against FILE", "simulate --servers a=1ms,b=2ms --requests 1000 --algorithm random"])
def test_no_reader_is_no_failure(ended: Ended, words: str, file: str) -> None:
    assert ended(*words.replace("FILE", file).split(), output=True) == (0, "")


@pytest.mark.parametrize(("words", "closed", "code"), [
    ("version", [1], 0), ("help", [1, 2], 0), ("schema", [0], 0), ("check -c FILE", [1], 0),
    ("status", [1, 2], 1), ("top", [0], 1), ("check -c /nowhere", [2], 1), ("drain", [2], 2)])
def test_streams_that_were_closed_at_the_start_change_no_outcome(ended: Ended, words: str, closed: list[int], code: int,
                                                                 file: str) -> None:
    found, told = ended(*words.replace("FILE", file).split(), closed=closed, environment={"LBD_ADMIN": "unix:/nowhere"})
    assert found == code
    assert "Traceback" not in told


@pytest.mark.parametrize(("words", "code"), [("version >&-", 0), ("drain 2>&-", 2), ("version <&- >&- 2>&-", 0)])
def test_an_interpreter_starts_without_its_streams(words: str, code: int) -> None:
    done = subprocess.run(["sh", "-c", f"exec {sys.executable} -m lbd {words}"], check=False, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["status", "status --json", "events", "events --json", "events --follow", "overrides",
                                   "overrides --json", "drain app/a", "rollback", "reload"])
def test_no_reader_of_a_daemons_answer(ended: Ended, words: str, fake_daemon: Any) -> None:
    event = {"number": 1, "timestamp": "2026-11-22T17:12:35.123Z", "level": "info", "event": "ready"}
    plan = {"generation": 2, "changed": True, "plan": {"changes": [], "restart": ["global.user"]}}
    fake_daemon.answers |= {
        ("GET", "/v1/status"): (200, STATUS), ("GET", "/v1/events?since=0"): (200, {"events": [event], "last": 1}),
        ("GET", "/v1/overrides"): (200, {"overrides": [{"backend": "app", "server": "a", "mode": "drain"}]}),
        ("PATCH", "/v1/backends/app/servers/a"): (200, {"name": "a"}),
        ("POST", "/v1/rollback"): (200, plan), ("POST", "/v1/reload"): (200, plan)}
    assert ended(*words.split(), "--admin", fake_daemon.bind, output=True) == (0, "")


@pytest.mark.parametrize(("words", "code"), [
    ("check -c FILE", 1), ("check --json -c FILE", 1), ("-t -c FILE", 1), ("-c FILE", 1),
    ("status --admin unix:/none", 1), ("nothing", 2), ("check --nothing", 2)])
def test_a_failure_stays_one_whoever_reads(ended: Ended, words: str, code: int, tmp_path: Path) -> None:
    broken = tmp_path / "lbd.toml"
    broken.write_text("[global]\nworkers = 100\n")
    asked = words.replace("FILE", str(broken)).split()
    assert ended(*asked, error=True) == (code, "")
    assert ended(*asked, output=True)[0] == code
    assert ended(*asked, output=True, error=True)[0] == code


def test_an_outcome_that_is_known_stays(ended: Ended, file: str, tmp_path: Path, fake_daemon: Any) -> None:
    other = tmp_path / "other.toml"
    other.write_text(FILE + 'c = "10.0.0.3:80"\n')
    for form in ((), ("--json",)):
        assert ended("plan", "-c", str(other), "--against", file, *form, output=True) == (2, "")
    fake_daemon.answers["POST", "/v1/reload"] = 409, {"detail": "no"}
    assert ended("reload", "--json", "--admin", fake_daemon.bind, output=True) == (1, "")


def test_warnings_that_nobody_reads_are_no_failure(ended: Ended, tmp_path: Path) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text(FILE + '[backends.idle.servers]\na = "10.0.0.1:80"\n')
    assert "warning" in ended("check", "-c", str(file))[1]
    assert ended("check", "-c", str(file), error=True) == (0, "")
    assert ended("check", "-c", str(file), output=True, error=True) == (0, "")


def test_nothing_else_draws_by_rich() -> None:
    """A `Console` of rich ends the process by itself, with 1, where its reader has left."""
    folder = Path(__file__).parents[2] / "lbd/cli"
    assert [path.name for path in folder.rglob("*.py") if "(Console)" not in (text := path.read_text())
            and any(f" {call}" in text for call in ("Console(", "Console.print"))] == []
