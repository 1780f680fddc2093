"""Upgrades in place: the same process, the same sockets and counters, another version, and nothing lost."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from lbd_process import ROOT, Lbd, until
from load import Load
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:%d"
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of lbd that the daemon is started from, and a way to put another version there."""
    shutil.copytree(ROOT / "lbd", tmp_path / "lbd", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sys.modules["lbd_process"], "ROOT", tmp_path)

    def install(version, more=""):
        (tmp_path / "lbd" / "__init__.py").write_text(f'"""lbd."""\n\n__version__ = "{version}"\n{more}')
    install("1.0")
    return install


def upgrade(lbd):
    return subprocess.run([sys.executable, "-m", "lbd", "upgrade", "-c", str(lbd.file)], cwd=ROOT, text=True,
                          capture_output=True, timeout=100)


def test_another_version_takes_over_under_load(package):
    with Origin("a") as origin, Lbd(TEXT % origin.port, settings='drain_timeout = "5s"') as lbd:
        pid, workers = lbd.pid, lbd.workers()
        with Load(lbd.port("web"), connections=4, once=True) as once, Load(lbd.port("web"), connections=4) as kept:
            until(lambda: once.total > 50, "some answers")
            package("2.0")
            done = upgrade(lbd)
            assert (done.returncode, done.stdout) == (0, "upgraded: lbd 1.0 -> 2.0, generation 2\n"), done.stderr
            until(lambda: not set(workers) & set(lbd.workers()), "the old workers leave")
            goal = kept.total + 100
            until(lambda: kept.total > goal, "answers of the new version")
        assert (lbd.pid, lbd.status()["version"]) == (pid, "2.0")
        for load in (once, kept):
            assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        server = lbd.status()["backends"]["app"]["servers"]["a"]
        assert server["requests"] == once.total + kept.total
        assert server["in_flight"] == 0
        package("3.0")
        lbd.send(signal.SIGUSR2)
        until(lambda: any(event["version"] == "3.0" for event in lbd.logged("lbd starts")), "by signal")
        until(lambda: len(lbd.logged("ready")) == 3, "it serves")
        lbd.send(signal.SIGHUP)
        assert lbd.stop() == 0


def test_a_version_that_does_not_work_changes_nothing(package):
    with Origin("a") as origin, Lbd(TEXT % origin.port) as lbd:
        workers = lbd.workers()
        package("2.0", "raise ImportError('broken')\n")
        done = upgrade(lbd)
        assert done.returncode == 1
        assert "nothing was changed: the version on disk does not take the running configuration" in done.stderr
        assert lbd.workers() == workers
        assert lbd.get("web")[0] == 200


def test_a_worker_of_a_new_version_makes_the_supervisor_upgrade(package):
    with Origin("a") as origin, Lbd(TEXT % origin.port) as lbd:
        package("2.0")
        lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
        until(lambda: len(lbd.logged("ready")) == 2, "the new version serves")
        assert lbd.status()["version"] == "2.0"
        assert lbd.get("web")[0] == 200


def test_the_copy_is_what_runs(package):
    assert os.path.exists(sys.modules["lbd_process"].ROOT / "lbd" / "__main__.py")
