"""A machine of its own: this one's systemd as PID 1 in new namespaces, over an overlay, with lbd under /opt/lbd."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.children import below

ROOT = Path(__file__).parents[2]
BOOT = 20.0   # seconds until the booted systemd has to answer

# Runs in the new namespaces; $1 is the state directory, $2 Python, $3 its packages, $4 lbd's source tree.
INIT = r"""
set -e
state=$1; r=$state/over/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$state/over"; mkdir -p "$state"/over/upper "$state"/over/work "$r"
mount -t overlay overlay -o "lowerdir=/,upperdir=$state/over/upper,workdir=$state/over/work" "$r"
for pair in "$2 python" "$3 packages" "$4 source"; do
  set -- $pair; mkdir -p "$r/opt/lbd/$2"; mount --bind "$1" "$r/opt/lbd/$2"
done
mount -t proc proc "$r/proc"; mount --bind /proc/sys "$r/proc/sys"; mount -o remount,bind,ro "$r/proc/sys"
mount -t sysfs -o ro sysfs "$r/sys"; mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
for place in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$r/$place"; done
chmod 1777 "$r/tmp"
for device in null zero full random urandom tty; do
  touch "$r/dev/$device"; mount --bind "/dev/$device" "$r/dev/$device"
done
mkdir "$r/dev/shm" "$r/dev/pts"; mount -t tmpfs tmpfs "$r/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$r/dev/pts"
ln -s pts/ptmx "$r/dev/ptmx"; ln -s /proc/self/fd "$r/dev/fd"
rm -rf "$r"/etc/systemd/system/*.wants "$r/var/lib/lbd"
cp -r "$state/tree/." "$r/"
ip link set lo up
mkdir -p "$r/mnt/old"; cd "$r"; pivot_root . mnt/old; umount -l /mnt/old
mount --make-rshared /    # credentials of units with DynamicUser= need it
exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=test.target --log-target=console --show-status=0
"""
TARGET = ("[Unit]\nDescription=test\nRequires=basic.target dbus.service\nAfter=basic.target dbus.service\n"
          "AllowIsolate=yes\n")
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "systemd-timesyncd.service", "systemd-resolved.service",
          "systemd-networkd.service")
LBD = """#!/bin/sh
export PYTHONPATH=/opt/lbd/source:/opt/lbd/packages LD_LIBRARY_PATH=/opt/lbd/python/lib
exec /opt/lbd/python/bin/{} -P -m lbd "$@"
"""


def why_not() -> str:
    """Why no systemd can be booted here, "" when it can."""
    if os.geteuid():
        return "booting a systemd needs root"
    for tool in ("unshare", "nsenter", "ip", "dbus-daemon", "systemctl"):
        if shutil.which(tool) is None:
            return f"booting a systemd needs {tool}"
    if not Path("/lib/systemd/systemd").exists():
        return "this machine has no systemd"
    return "" if _cgroup() else "no cgroup v2 is mounted"


def _cgroup() -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2" and os.access(place, os.W_OK):
            return Path(place)
    return None


class Booted:
    """A booted machine. `files` are put over the root before it boots, by absolute path."""

    def __init__(self, files: dict[str, str]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lbd-boot-")
        self._state = Path(self._directory.name)
        tree = self._state / "tree"
        units = tree / "etc/systemd/system"
        units.mkdir(parents=True)
        (self._state / "over").mkdir()
        for unit in MASKED:
            (units / unit).symlink_to("/dev/null")
        program = LBD.format(f"python{sysconfig.get_python_version()}")
        for name, text in {"/etc/systemd/system/test.target": TARGET, "/opt/lbd/bin/lbd": program, **files}.items():
            file = tree / name.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o755 if "/bin/" in name else 0o644)
        top = _cgroup()
        assert top is not None
        self._groups = [top / self._state.name]
        legacy = Path("/sys/fs/cgroup/systemd")
        if legacy.is_dir() and legacy != top:
            self._groups.append(legacy / self._state.name)
        self._outer: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def __enter__(self) -> "Booted":
        for group in self._groups:
            group.mkdir()
        arguments = [str(self._state), sys.base_prefix, sysconfig.get_path("purelib"), str(ROOT)]
        with open(self._state / "log", "wb") as log:
            self._outer = subprocess.Popen(
                ["unshare", "-m", "-p", "-n", "-u", "-i", "-C", "--fork", "--kill-child=KILL", "bash", "-c", INIT,
                 "init", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=self._join)
        end = time.monotonic() + BOOT
        while time.monotonic() < end and self._outer.poll() is None:
            if leaders := below(self._outer.pid):
                self._leader = leaders[0]
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return self
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._outer.wait(0.1)
        text = (self._state / "log").read_text(errors="replace")
        self.close()
        raise RuntimeError(f"systemd did not come up:\n{text[-3000:]}")

    def _join(self) -> None:
        for group in self._groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, *command: str, check: bool = True, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        return subprocess.run(["nsenter", "-t", str(self._leader), "-a", *command], capture_output=True, text=True,
                              check=check, timeout=timeout)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command inside."""
        return subprocess.Popen(["nsenter", "-t", str(self._leader), "-a", *command], stdout=subprocess.PIPE,
                                text=True)

    def write(self, file: str, text: str) -> None:
        """Put a file there while it runs."""
        subprocess.run(["nsenter", "-t", str(self._leader), "-a", "sh", "-c", 'cat > "$0"', file], input=text,
                       text=True, check=True)

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()

    def journal(self, unit: str) -> str:
        """The journal of the unit."""
        return self.run("journalctl", "-u", unit, "-o", "cat", "--no-pager", check=False).stdout

    def status(self) -> dict[str, Any]:
        """The status of the lbd inside."""
        answer = self.run("curl", "-s", "--unix-socket", "/run/lbd/admin.sock", "http://x/v1/status").stdout
        return dict(json.loads(answer))

    def close(self) -> None:
        """Power it off; whatever is left is killed with its namespace."""
        if self._outer is not None and self._outer.poll() is None:
            if self._leader:
                self.run("systemctl", "poweroff", "--force", check=False)
            try:
                self._outer.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._outer.pid, signal.SIGKILL)   # a session of its own; the namespace dies with it
                self._outer.wait()
        for group in self._groups:
            for place, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(place)
        self._directory.cleanup()
