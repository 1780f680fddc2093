"""A daemon that is started as root and becomes another user, and one that has no privileges at all."""

import functools
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from lbd_process import ROOT, Lbd, until
from origin import Origin

from tests.authority import Authority

USER = "nobody"
NEEDED = "import lbd.control.worker, lbd.cli.commands.daemon, lbd.cli.foreground, lbd.admin.app"
NET_BIND_SERVICE = 1 << 10
UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
# What has been compiled already need not be once more.
COMPILED = {name: value for name, value in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
LIBRARIES = os.pathsep.join([str(ROOT), *(entry for entry in sys.path if entry.endswith("-packages"))])

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@functools.cache
def interpreter():
    """A Python of this version that another user may run, else the test is skipped."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if python and run(python, "-c", NEEDED):
            return python
    return None


def run(python, *words):
    try:
        return subprocess.run([python, *words], user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[], cwd="/",
                              env={"PYTHONPATH": LIBRARIES, **COMPILED}, capture_output=True,
                              timeout=60).returncode == 0
    except OSError:
        return False


def text(port, origin):
    return (f'[listeners.web]\nbind = "127.0.0.1:{port}"\nbackend = "app"\n'
            f'[backends.app]\nservers = {{ a = "127.0.0.1:{origin.port}" }}\n')


def low_port():
    """A free port below 1024, another one in each process of the tests; skips where everybody may bind those."""
    if int(UNPRIVILEGED.read_text()) < 1024:
        pytest.skip("here everybody may bind low ports")
    for port in range(1023 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 5, 600, -5):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    pytest.skip("no low port is free")


@pytest.fixture
def python():
    found = interpreter()
    if found is None:
        pytest.skip("no interpreter that another user may run")
    return found


def identity(pid):
    """Real, effective, saved and file-system ids, supplementary groups and effective capabilities of a process."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return lines["Uid"].split(), lines["Gid"].split(), lines["Groups"].split(), int(lines["CapEff"], 16)


def gains_nothing(pid):
    """No program that it runs gives it more rights than it has."""
    return "\nNoNewPrivs:\t1\n" in Path(f"/proc/{pid}/status").read_text()


def serving(lbd, number):
    until(lambda: len([w for w in lbd.status()["workers"] if w["state"] == "serving"]) == number, f"{number} serve")


def test_root_is_given_up_by_all_and_a_reload_still_binds(python):
    entry, low = pwd.getpwnam(USER), low_port()
    settings = f'user = "{USER}"\ngroup = "{grp.getgrgid(entry.pw_gid).gr_name}"'
    with Origin("a") as origin, closing(Lbd(text("$web", origin), settings=settings, python=python,
                                            environment={"PYTHONPATH": LIBRARIES}, ports={"low": low})) as lbd:
        lbd.path.chmod(0o755)   # the configuration is read again, by that user
        lbd.start()
        for pid in [lbd.pid, *lbd.workers()]:
            users, groups, more, capabilities = identity(pid)
            assert set(users) == {str(entry.pw_uid)}
            assert set(groups) == {str(entry.pw_gid)}
            assert set(more) <= {str(entry.pw_gid)}
            assert capabilities & ~NET_BIND_SERVICE == 0
            assert gains_nothing(pid)
        lbd.replace_file(lbd.file.read_text().replace("workers = 2", "workers = 3"))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        serving(lbd, 3)   # with a socket of its own beside those that root bound
        lbd.write(text("$low", origin))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert lbd.get("low")[0] == 200
        lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
        until(lambda: lbd.status()["worker_restarts"] == 1, "it is missed")
        serving(lbd, 2)
        assert lbd.get("low")[0] == 200
        assert lbd.stop() == 0


def test_an_upgrade_needs_no_root(python):
    entry, low = pwd.getpwnam(USER), low_port()
    with Origin("a") as origin, closing(Lbd(text("$low", origin), settings=f'user = "{USER}"', python=python,
                                            environment={"PYTHONPATH": LIBRARIES}, ports={"low": low})) as lbd:
        lbd.path.chmod(0o755)   # not that user's: a socket's file there cannot be removed by it
        lbd.start()
        old = lbd.workers()
        lbd.replace_file(lbd.file.read_text().replace("workers = 2", "workers = 3"))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert lbd.admin("POST", "/v1/upgrade")[0] == 202
        until(lambda: len(lbd.logged("ready")) == 2, "the new image serves")
        until(lambda: not set(old) & set(lbd.workers()), "the old workers leave")
        assert (lbd.status()["upgrades"], lbd.status()["generation"]) == (1, 3)
        serving(lbd, 3)
        assert lbd.get("low")[0] == 200
        assert identity(lbd.pid)[0] == [str(entry.pw_uid)] * 4
        assert identity(lbd.pid)[3] == NET_BIND_SERVICE
        assert {identity(pid)[3] for pid in lbd.workers()} == {0}   # they have no use for it
        assert all(map(gains_nothing, [lbd.pid, *lbd.workers()]))
        other = low_port()
        lbd.write(text(other, origin))
        assert lbd.admin("POST", "/v1/reload")[0] == 200, lbd.log()   # it can still bind low ports
        assert lbd.stop() == 0


def test_checks_gain_nothing_either(python):
    """The program fails on purpose: what it says is logged then."""
    health = """health = { type = "exec", interval = "100ms", command = [
    "/bin/sh", "-c", "grep NoNewPrivs /proc/self/status; exit 1"] }"""
    with Origin("a") as origin, closing(Lbd(f"{text('$web', origin)}{health}\n", 1, f'user = "{USER}"', python=python,
                                            environment={"PYTHONPATH": LIBRARIES})) as lbd:
        lbd.path.chmod(0o755)
        lbd.start()
        until(lambda: "sh: exit code 1: NoNewPrivs:?1" in lbd.log(), "the check ran")
        assert lbd.stop() == 0


def test_an_upgrade_is_refused_where_a_key_is_for_root_alone(python):
    """Files read before root was given up serve on; only the new image could not read them."""
    entry = pwd.getpwnam(USER)
    with Origin("a") as origin, closing(Lbd(text("$web", origin), 1, f'user = "{USER}"', python=python,
                                            environment={"PYTHONPATH": LIBRARIES})) as lbd:
        lbd.path.chmod(0o755)
        authority = Authority(lbd.path)
        key = authority.issue("site.pem", "site.test", split=True).with_suffix(".key")
        key.chmod(0o600)
        lbd.replace_file(lbd.file.read_text() + f"""[listeners.web.tls]
certificates = {{ cert = "{key.with_suffix(".pem")}", key = "{key}" }}
""")
        lbd.start()
        workers = lbd.workers()
        status, answer = lbd.admin("POST", "/v1/upgrade")
        assert status == 409
        assert str(key) in answer["detail"]
        assert "let the user of [global] read it" in answer["detail"]
        os.chown(key, entry.pw_uid, entry.pw_gid)
        assert lbd.workers() == workers
        assert lbd.admin("POST", "/v1/upgrade")[0] == 202
        until(lambda: len(lbd.logged("ready")) == 2, "the new image serves")
        assert lbd.stop() == 0


def test_a_directory_made_for_the_admin_socket_is_the_users(python):
    with Origin("a") as origin, closing(Lbd(text("$web", origin), 1, f'user = "{USER}"', python=python,
                                            environment={"PYTHONPATH": LIBRARIES})) as lbd:
        made = lbd.path / "run"
        lbd.replace_file(lbd.file.read_text().replace(f"unix:{lbd.path}/admin", f"unix:{made}/admin"))
        lbd.path.chmod(0o755)
        lbd.start()
        assert (made / "admin.sock").exists()
        assert lbd.stop() == 0
        assert not (made / "admin.sock").exists()


def test_an_unknown_user_is_refused():
    with Origin("a") as origin, closing(Lbd(text("$web", origin), settings='user = "no-such-user"')) as lbd:
        lbd.start(wait=False)
        assert lbd.wait() == 1
        assert "this machine has no user 'no-such-user'" in lbd.log()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_a_low_port_without_the_right_says_what_to_do(python):
    entry, low = pwd.getpwnam(USER), low_port()
    prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--bounding-set=-all"]
    with Origin("a") as origin, closing(Lbd(text("$low", origin), python=python, prefix=prefix, ports={"low": low},
                                            environment={"PYTHONPATH": LIBRARIES})) as lbd:
        for path in (lbd.path, lbd.file):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        lbd.start(wait=False)
        assert lbd.wait() == 1
        assert f"cannot listen on 127.0.0.1:{low} (listeners.web.bind): permission denied" in lbd.log()
        assert "run with CAP_NET_BIND_SERVICE or choose a port above 1023" in lbd.log()


def test_no_directory_needs_to_be_writable(python):
    entry = pwd.getpwnam(USER)
    become = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    nowhere = dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"), "/nowhere")
    with Origin("a") as origin, closing(Lbd("", python=python, prefix=become, environment={
            "PYTHONPATH": LIBRARIES, "PYTHONDONTWRITEBYTECODE": "1", **nowhere})) as lbd:
        lbd.path.chmod(0o755)
        head = '[global]\nworkers = 1\nstate_dir = "off"\n[admin]\nbind = "off"\n'
        lbd.replace_file(head + text(lbd.port("web"), origin))
        lbd.start()
        assert lbd.get("web")[0] == 200
        assert "overrides and registrations end with this process" in lbd.log()
        assert "signals steer lbd" in lbd.log()
        lbd.replace_file(head + text(lbd.port("other"), origin))
        until(lambda: lbd.logged("reloaded"), "the changed file is in force")
        assert lbd.get("other")[0] == 200
        lbd.send(signal.SIGUSR2)
        until(lambda: len(lbd.logged("ready")) == 2, "the new image serves")
        assert lbd.get("other")[0] == 200
        assert sorted(path.name for path in lbd.path.iterdir()) == ["lbd.toml", "log"]
        answer = subprocess.run([python, "-m", "lbd", "status", "-c", lbd.file], env={"PYTHONPATH": LIBRARIES},
                                capture_output=True, text=True, cwd="/", timeout=60)
        assert answer.returncode == 2
        assert 'admin.bind: it is "off": this daemon can be asked nothing' in answer.stderr
        assert lbd.stop() == 0
