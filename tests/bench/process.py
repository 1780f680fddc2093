"""A process that the benchmark starts, with all its children: where it runs, what CPU and memory it uses, its end."""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1
_PAGE = resource.getpagesize()
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time since the start: exact nanoseconds from the scheduler, and its split in clock ticks."""

    ns: int
    user_ticks: int
    system_ticks: int

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(self.ns - earlier.ns, self.user_ticks - earlier.user_ticks,
                     self.system_ticks - earlier.system_ticks)

    @property
    def user_share(self) -> float:
        """Of the whole, 0 to 1; only as good as the number of ticks (100 a second)."""
        return self.user_ticks / ((self.user_ticks + self.system_ticks) or 1)


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat after the name (which may hold blanks): state is 0, parent 1, utime 11, stime 12, rss 21."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants(root: int) -> list[int]:
    """The process and every child of it that lives, however deep."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except (OSError, IndexError):
                continue        # gone since it was listed
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


class Process:
    """A started program. Use as a context manager: at its end nothing that it started is left."""

    def __init__(self, command: Sequence[str], cpus: set[int], directory: Path,
                 environment: Mapping[str, str] | None = None) -> None:
        self.command = command
        self.log = directory / "output.log"
        self.cpus = cpus
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(
                command, cwd=directory, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=self._before_exec)

    def _before_exec(self) -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)      # not left behind even if the benchmark is killed
        os.sched_setaffinity(0, self.cpus)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def usage(self) -> Usage:
        """Of all threads of all its processes."""
        ns = user = system = 0
        for pid in descendants(self._popen.pid):
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    ns += int((task / "schedstat").read_text().split()[0])
                stat = _stat(pid)
            except (OSError, IndexError):
                continue
            user, system = user + int(stat[11]), system + int(stat[12])
        return Usage(ns, user, system)

    def rss(self) -> list[int]:
        """Resident bytes of each of its processes."""
        sizes = []
        for pid in descendants(self._popen.pid):
            try:
                sizes.append(int(_stat(pid)[21]) * _PAGE)
            except (OSError, IndexError):
                continue
        return sizes

    def stop(self) -> None:
        """Ask twice to end, at most 5 s, then kill whatever is left of it."""
        pids = descendants(self._popen.pid)
        for wait in (3.0, 2.0):
            if self.running:
                self._popen.terminate()
                try:
                    self._popen.wait(wait)
                except subprocess.TimeoutExpired:
                    continue
        for pid in pids:
            # A number may have been given to somebody else since: only what is still in our session is ours.
            try:
                if os.getsid(pid) == self._popen.pid or pid == self._popen.pid:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        self._popen.wait()

    def output(self, lines: int = 8) -> str:
        """The end of what it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def poll(condition: Callable[[], bool], deadline: float, step: float = 0.002) -> bool:
    """Ask the callable until it says yes; False after `deadline` seconds."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step)
    return False
