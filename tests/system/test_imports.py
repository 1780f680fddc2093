"""The modules that processes and commands import: heavy libraries only where something needs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lbd_process import Lbd
from origin import Origin

ROOT = Path(__file__).parents[2]
HEAVY = {"aiohttp", "anyio", "attr", "cryptography", "dns", "email", "http.server", "jinja2", "multidict",
         "multiprocessing", "opentelemetry", "prometheus_client", "pygments", "rich", "textual", "tomlkit",
         "watchfiles", "yarl"}
OF_METRICS = {"email", "http.server", "prometheus_client"}     # their series are counted
OF_SUPERVISOR = {"lbd.cli", "lbd.config", "lbd.discovery", "lbd.generation", "lbd.health", "lbd.reload", "lbd.report",
                 "lbd.admin", "tomllib"}
FILE = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:1"
"""
RUNNING = FILE.replace("8080", "$web").replace(":1\"", ":$a\"")


def imported(code: str) -> set[str]:
    """The modules of a new process after this code."""
    code = f"import json, os, sys\n{code}\nos.write(2, json.dumps(sorted(sys.modules)).encode())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(("code", "without"), [
    ("import lbd.control.worker", HEAVY | OF_SUPERVISOR),
    ("import lbd.cli.command_line, lbd.cli.foreground", HEAVY),
], ids=["worker", "supervisor"])
def test_a_process_of_the_daemon(code, without):
    assert not imported(code) & without


def test_check(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text(FILE)
    names = imported(f"from lbd.cli import main\nassert main(['check', '-c', {str(file)!r}]) == 0")
    assert not names & (HEAVY - OF_METRICS)


def test_help():
    names = imported("from lbd.cli import main\nassert main(['--help']) == 0")
    assert not names & HEAVY
    assert {name for name in names if name.startswith("lbd.cli.commands.")} == {"lbd.cli.commands.daemon"}
    assert "lbd.control" not in names


def test_a_running_worker_has_no_library_of_the_supervisor():
    with Origin("a") as origin, Lbd(RUNNING, ports={"a": origin.port}, executed=True) as lbd:
        assert lbd.get("web")[0] == 200
        for pid in lbd.workers():
            maps = Path(f"/proc/{pid}/maps").read_text()
            assert not [library for library in HEAVY if f"/{library}/" in maps]
