"""Upgrades in place: the same process, the same sockets and counters, another version, and nothing lost."""

import itertools
import os
import shutil
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest
from lbd_process import ROOT, Lbd, until
from load import Load, answer, ask, connect
from origin import Origin

from lbd.cli.command_line import main
from tests.children import living
from tests.system.fork_server import ForkServer

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:%d"
"""
FIELDS = "lbd/stats/fields.py"
UNFINISHED = shutil.ignore_patterns("*.pyc.*")      # what is being compiled beside this
moments = itertools.count(1_000_000_000)    # seconds: each version is written at one of its own


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the copy of lbd is, with what is compiled of it already."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(ROOT / "lbd", home / "lbd", ignore=UNFINISHED)
    if prefix := os.environ.get("PYTHONPYCACHEPREFIX"):
        compiled = Path(f"{prefix}{ROOT}/lbd")
        if compiled.exists():
            shutil.copytree(compiled, f"{prefix}{home}/lbd", ignore=UNFINISHED)
    return home


@pytest.fixture(scope="module")
def first(home):
    """A process that forks daemons of the first version."""
    with closing(ForkServer(home)) as server:
        yield server


@pytest.fixture
def package(home, first, monkeypatch):
    """A copy of lbd that the daemon is started from, and a way to put another version there."""
    shutil.copy2(ROOT / FIELDS, home / FIELDS)
    monkeypatch.setattr(sys.modules["lbd_process"], "ROOT", home)
    monkeypatch.setattr(sys.modules["lbd_process"], "_forks", first)

    def install(version, more=""):
        file = home / "lbd" / "__init__.py"
        file.write_text(f'"""lbd."""\n\n__version__ = "{version}"\n{more}')
        os.utime(file, (next(moments),) * 2)      # bytecode of an equally long file of the same second would pass
    install("1.0")
    return install


@pytest.fixture
def upgrade(capsys):
    """`lbd upgrade`: its exit code, what it said, and what it complained of."""
    return lambda lbd: (main(["upgrade", "-c", str(lbd.file)]), *capsys.readouterr())


def at_rest(lbd):
    until(lambda: lbd.status()["backends"]["app"]["servers"]["a"]["in_flight"] == 0,
          "the last request is counted, which is after its answer is sent")


@pytest.mark.slow
def test_another_version_takes_over_under_load(package, upgrade):
    with Origin("a") as origin, Lbd(TEXT % origin.port, settings='drain_timeout = "5s"') as lbd:
        pid, workers = lbd.pid, lbd.workers()
        with Load(lbd.port("web"), connections=4, once=True) as once, Load(lbd.port("web"), connections=4) as kept:
            until(lambda: once.total > 50, "some answers")
            package("2.0")
            assert upgrade(lbd) == (0, "upgraded: lbd 1.0 -> 2.0, generation 2\n", "")
            until(lambda: not set(workers) & set(lbd.workers()), "the old workers leave")
            goal = kept.total + 100
            until(lambda: kept.total > goal, "answers of the new version")
        assert (lbd.pid, lbd.status()["version"]) == (pid, "2.0")
        for load in (once, kept):
            assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        at_rest(lbd)
        assert lbd.status()["backends"]["app"]["servers"]["a"]["requests"] == once.total + kept.total
        package("3.0")
        lbd.send(signal.SIGUSR2)
        until(lambda: any(event["version"] == "3.0" for event in lbd.logged("lbd starts")), "by signal")
        until(lambda: len(lbd.logged("ready")) == 3, "it serves")
        lbd.send(signal.SIGHUP)
        assert lbd.stop() == 0


def test_a_version_that_does_not_work_changes_nothing(package, upgrade):
    with Origin("a") as origin, Lbd(TEXT % origin.port) as lbd:
        workers = lbd.workers()
        package("2.0", "raise ImportError('broken')\n")
        code, _, error = upgrade(lbd)
        assert code == 1
        assert "nothing was changed: the version on disk does not take the running configuration" in error
        assert lbd.workers() == workers
        assert lbd.get("web")[0] == 200


@pytest.mark.slow
def test_a_worker_of_a_new_version_makes_the_supervisor_upgrade(package):
    with Origin("a") as origin, Lbd(TEXT % origin.port, executed=True) as lbd:
        package("2.0")
        lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
        until(lambda: len(lbd.logged("ready")) == 2, "the new version serves")
        assert lbd.status()["version"] == "2.0"
        assert lbd.get("web")[0] == 200


def test_health_ejections_and_latency_carry_over(package, upgrade):
    checked = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
health = { type = "http", path = "/healthz", interval = "50ms", fall = 1000 }
outlier = { consecutive = 2, base = "300s", max_ejected = "100%%", enforce = true }
servers = { a = "127.0.0.1:%d", gone = "127.0.0.1:%d" }
"""
    with Origin("a") as origin, Origin("gone") as gone, Lbd(checked % (origin.port, gone.port), workers=1) as lbd:
        for _ in range(4):
            assert lbd.get("web")[0] == 200
        gone.stop()
        until(lambda: lbd.get("web") and lbd.logged("server ejected"), "the one that is gone is ejected")
        origin.healthy = False
        until(lambda: "of 1000 failed" in lbd.status()["backends"]["app"]["servers"]["a"]["reason"], "a check failed")
        before = lbd.status()["backends"]["app"]["servers"]
        package("2.0")
        assert upgrade(lbd)[0] == 0
        after = lbd.status()["backends"]["app"]["servers"]
        assert [after[name]["health"] for name in ("a", "gone")] == ["up", "ejected"]
        assert after["gone"]["reason"] == before["gone"]["reason"]
        assert "of 1000 failed" in after["a"]["reason"]
        assert after["a"]["latency_seconds"] == pytest.approx(before["a"]["latency_seconds"], rel=0.01)
        assert len(lbd.logged("server ejected")) == 1


def test_what_old_workers_still_answer_is_logged_and_counted_in_another_layout(package, upgrade, home, tmp_path):
    fields = home / FIELDS
    log = tmp_path / "access.log"
    text = f'[log]\naccess = "{log}"\n' + TEXT
    with Origin("a") as origin, Lbd(text % origin.port, settings='drain_timeout = "10s"') as lbd:
        old = lbd.workers()
        with Load(lbd.port("web"), connections=4) as load:
            until(lambda: load.total > 100, "some answers")
            with closing(connect(lbd.port("web"))) as held:
                ask(held, "/held")
                assert origin.held.acquire(timeout=20)
                written = fields.read_text()
                mark = 'SERVER_CONNECTIONS_TOTAL = '
                assert mark in written
                fields.write_text(written.replace(mark, f'SERVER_NEW = _server.counter("new", "New.")\n{mark}', 1))
                package("2.0")
                assert upgrade(lbd)[0] == 0, lbd.log()
                assert set(old) & set(lbd.workers())   # one of them has something to finish
                assert lbd.status()["backends"]["app"]["servers"]["a"]["requests"] >= 100
                origin.release.set()
                assert answer(held)[0] == 200
            until(lambda: not set(old) & set(lbd.workers()), "the old workers leave")
            goal = load.total + 100
            until(lambda: load.total > goal, "answers of the new version")
        assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        at_rest(lbd)
        server = lbd.status()["backends"]["app"]["servers"]["a"]
        assert server["requests"] == load.total + 1
        assert server["latency_seconds"] > 0
        until(lambda: log.read_text().count("\n") == load.total + 1, "every request has its line")
        assert '"/held"' in log.read_text()


def test_workers_serve_on_when_the_new_version_dies_after_the_exec(package):
    with Origin("a") as origin, Lbd(TEXT % origin.port, settings='drain_timeout = "5s"') as lbd:
        workers = lbd.workers()
        with Load(lbd.port("web"), connections=4, once=True) as load:
            until(lambda: load.total > 50, "some answers")
            package("2.0", "import os\nif 'LBD_HANDOVER' in os.environ:\n    os._exit(9)\n")
            lbd.may_be_left()
            lbd.send(signal.SIGUSR2)
            assert lbd.wait() == 9
            goal = load.total + 100
            until(lambda: load.total > goal, "the workers serve on")
            package("3.0")
            lbd.start(wait=False, executed=True)
            until(lambda: len(lbd.logged("ready")) == 2, "a new one serves")
            until(lambda: not living(workers), "the old workers leave")
            goal = load.total + 100
            until(lambda: load.total > goal, "the new one serves alone")
        # The sockets of the old workers are their own here: each may close on one that connects at that moment.
        assert load.lost + load.refused <= len(workers)
        assert set(load.answered) == {200}


def test_files_that_say_something_else_are_not_slipped_in(package, upgrade):
    with Origin("a") as origin, Lbd(TEXT % origin.port, 1, "watch = false") as lbd:
        lbd.write(TEXT % origin.port + f'b = "127.0.0.1:{origin.port}"\n')
        code, _, error = upgrade(lbd)
        assert code == 1
        assert "the files say something else than what is in force (1 server added): lbd reload first" in error
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert upgrade(lbd)[0] == 0
        assert lbd.status()["generation"] == 3


def test_the_copy_is_what_runs(package):
    assert os.path.exists(sys.modules["lbd_process"].ROOT / "lbd" / "__main__.py")
