"""The machine of a run: which processors do what, and what is installed on it."""

import importlib.metadata
import os
import platform
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_VERSIONS = {"haproxy": ["haproxy", "-v"], "nginx": ["nginx", "-v"], "caddy": ["caddy", "version"],
             "wrk": ["wrk", "-v"]}
_ABOUT_PYTHON = """
import platform, sysconfig
arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
print(platform.python_version(), "PGO" if "--enable-optimizations" in arguments else "not PGO",
      "LTO" if "--with-lto" in arguments else "no LTO", sep=", ")
"""


@dataclass(frozen=True, slots=True)
class Processors:
    """The proxy has one to itself; load and servers share another."""

    proxy: set[int]
    load: set[int]
    every: set[int]

    @staticmethod
    def of_this_machine() -> "Processors":
        every = sorted(os.sched_getaffinity(0))
        return Processors(proxy={every[1 % len(every)]}, load={every[0]}, every=set(every))


def find(program: str) -> str | None:
    """Where it is, also when /usr/sbin is not on the path of an ordinary user; None when it is not installed."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")


def busy(cpus: set[int]) -> float:
    """Seconds since boot in which these processors did anything at all, or the host gave them to another guest."""
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *figures = line.split()
        if name.removeprefix("cpu").isdecimal() and int(name.removeprefix("cpu")) in cpus:
            user, nice, system, _, _, irq, softirq, steal = map(int, figures[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port that nobody has at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _first_line(command: list[str]) -> str:
    program = find(command[0])
    if not program:
        return "not installed"
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True)
    line = (done.stdout or done.stderr).partition("\n")[0]
    return line.split(" h1:")[0].removeprefix("nginx version: ").partition(" - http")[0].partition(" Copyright")[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def facts(python: str) -> dict[str, str]:
    """Facts of the machine that the figures depend on, by name; `python` is the interpreter that runs lbd."""
    built = subprocess.run([python, "-c", _ABOUT_PYTHON], capture_output=True, text=True, check=True).stdout.strip()
    found = {"processor": f"{len(os.sched_getaffinity(0))} x {_processor()}", "kernel": platform.release(),
             "python": built}
    for library in ("uvloop", "Cython"):
        try:
            found[library.lower()] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            found[library.lower()] = "not installed"
    return found | {program: _first_line(command) for program, command in _VERSIONS.items()}
