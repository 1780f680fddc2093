"""The lines of the guide to systemd, typed as they stand on a booted machine: install, change, upgrade, uninstall."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from lbd_process import until

_spec = importlib.util.spec_from_file_location("booted", Path(__file__).with_name("booted.py"))
booted = importlib.util.module_from_spec(_spec)
sys.modules["booted"] = booted
_spec.loader.exec_module(booted)

ROOT = Path(__file__).parents[2]
ORIGIN = "[Service]\nExecStart=/opt/lbd/bin/lbd demo-server --port 9001\n"
# A unit may not look into home directories, where this Python may have its library.
DROP_IN = "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/python/lib\n"

pytestmark = [pytest.mark.programs, pytest.mark.timeout(600),
              pytest.mark.skipif(bool(booted.why_not()), reason=booted.why_not() or "-")]


def blocks():
    """The shell blocks of the guide, in their order: install, look, change, upgrade, uninstall, sockets."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / "lbd/guide/systemd.md").read_text(), re.S)


def source(directory):
    """A source tree whose kernels are compiled already, as compiling them is not what is tried here."""
    for part in ("lbd", "conf", "systemd"):
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__", "*.c"))
    shutil.copy(ROOT / "README.md", directory)
    project = (ROOT / "pyproject.toml").read_text()
    project = re.sub(r"(?ms)^ext-modules = \[.*?^\]\n", "", project).replace('"*.pyx", ', '"*.so", "*.pyx", ')
    (directory / "pyproject.toml").write_text(project)


@pytest.fixture(scope="module")
def place():
    """A directory that the booted machine sees too: src, and wheels of all that src needs."""
    with tempfile.TemporaryDirectory(prefix="lbd-install-", dir="/var/tmp") as directory:
        place = Path(directory)
        place.chmod(0o755)
        (place / "src").mkdir()
        source(place / "src")
        needs = re.findall(r'"(setuptools[^"]*|Cython[^"]*)"', (ROOT / "pyproject.toml").read_text())[:2]
        fetched = subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--retries=1", "--timeout=20", "-w",
                                  place / "wheels", place / "src", *needs], capture_output=True, text=True)
        if fetched.returncode:
            pytest.skip(f"pip finds no wheels here: {fetched.stderr[-500:]}")
        next(place.glob("wheels/lbd-*.whl")).unlink()
        yield place


@pytest.fixture
def fresh(place):
    """The booted machine, without lbd, and with a Python outside the home directories."""
    files = {"/etc/systemd/system/origin.service": ORIGIN, "/etc/systemd/system/lbd.service.d/test.conf": DROP_IN}
    with booted.Booted(files) as inside:
        inside.run("sh", "-ec", "mkdir /opt/python; mount --bind /opt/lbd/python /opt/python;"
                                " umount /opt/lbd/python /opt/lbd/packages /opt/lbd/source; rm -r /opt/lbd")
        this = f"import ensurepip, sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
        if inside.run("env", "-i", "LD_LIBRARY_PATH=/opt/python/lib", "/opt/python/bin/python3", "-c", this,
                      check=False).returncode:
            pytest.skip(f"{sys.base_prefix}/bin/python3 is another Python than this, or makes no environments")
        yield inside


def typed(inside, place, lines):
    """Output of the lines, typed in the source tree by a root whose pip has only the wheels."""
    done = inside.run(
        "env", "-i", "-C", str(place / "src"), "HOME=/root", "PATH=/opt/python/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LD_LIBRARY_PATH=/opt/python/lib", "PIP_NO_INDEX=1", "PIP_CONFIG_FILE=/dev/null",
        f"PIP_FIND_LINKS={place / 'wheels'}", "sh", "-ec", lines, check=False, timeout=240.0)
    assert done.returncode == 0, f"{lines}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    print(lines, done.stdout, done.stderr, sep="\n")
    return done.stdout


def answered(inside, port=8080):
    return inside.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/",
                      check=False).stdout == "200"


def test_the_lines_of_the_readme(fresh, place):
    install, look, change, upgrade, uninstall, _ = blocks()
    typed(fresh, place, install)
    assert fresh.show("lbd", "ActiveState") == "active"
    assert fresh.show("lbd", "UnitFileState") == "enabled"
    fresh.run("systemctl", "start", "origin")
    until(lambda: answered(fresh), "the demo server's answer through lbd")

    seen = typed(fresh, place, look)
    assert "active (running)" in seen
    assert "generation 1" in seen

    fresh.run("sed", "-i", 's/^b = .*/b = "127.0.0.1:9003"/', "/etc/lbd/lbd.toml")
    typed(fresh, place, change)
    assert fresh.status()["generation"] >= 2
    assert "127.0.0.1:9003" in fresh.run("/opt/lbd/bin/lbd", "status", "--json").stdout

    before = fresh.show("lbd", "MainPID")
    for file in ("pyproject.toml", "lbd/__init__.py"):
        fresh.run("sed", "-Ei", 's/^(__version__|version) = .*/\\1 = "9.9.9"/', str(place / "src" / file))
    typed(fresh, place, upgrade)
    until(lambda: fresh.status()["version"] == "9.9.9", "the new version runs")
    assert fresh.show("lbd", "MainPID") == before
    until(lambda: fresh.show("lbd", "ActiveState") == "active", "systemd takes it for running")
    until(lambda: answered(fresh), "the demo server's answer through the new version")

    typed(fresh, place, uninstall)
    assert fresh.show("lbd", "ActiveState") == "inactive"
    units = "/etc/systemd/system"
    for left in ("/opt/lbd", "/var/lib/private/lbd", f"{units}/lbd.service",
                 f"{units}/multi-user.target.wants/lbd.service"):
        assert fresh.run("test", "-e", left, check=False).returncode == 1, left


def test_the_lines_for_socket_activation(fresh, place):
    install, *_, sockets = blocks()
    typed(fresh, place, install)
    fresh.run("systemctl", "start", "origin")
    typed(fresh, place, sockets)
    assert fresh.show("lbd.socket", "UnitFileState") == "enabled"
    assert fresh.show("lbd", "ActiveState") == "active"
    until(lambda: answered(fresh, 80), "the demo server's answer on the socket of systemd")
    assert not answered(fresh)
