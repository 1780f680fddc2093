"""A copy of the tree whose kernels are built with AddressSanitizer and UndefinedBehaviorSanitizer."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -w"
BUILD = "from setuptools import setup; setup()"
PARTS = ("lbd", "tests", "conf", "systemd", "pyproject.toml", "README.md")
REPORTS = ("AddressSanitizer", "runtime error:", "UndefinedBehaviorSanitizer", "SUMMARY: ")


def runtime() -> list[str]:
    """The libraries that must be loaded before all others; empty where the compiler has none."""
    found = []
    for library in ("libasan.so", "libubsan.so"):
        if shutil.which("gcc") is None:
            return []
        path = subprocess.run(["gcc", f"-print-file-name={library}"], capture_output=True, text=True).stdout.strip()
        if not os.path.isabs(path):
            return []
        found.append(os.path.realpath(path))
    return found


def build(directory: Path) -> Path:
    """Copy the tree there and build its kernels; returns the copy."""
    return built(directory, {"CC": "gcc", "LDSHARED": "gcc -shared", "CFLAGS": FLAGS, "LDFLAGS": FLAGS})


def built(directory: Path, compiler: Mapping[str, str]) -> Path:
    """Copy the tree there and build its kernels with the compiler that these variables name; returns the copy."""
    tree = directory / "tree"
    tree.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(ROOT / part, tree / part)
    done = subprocess.run([sys.executable, "-c", BUILD, "-q", "build_ext", "--inplace", "--parallel", "2"], cwd=tree,
                          env={**os.environ, **compiler}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the kernels could not be built:\n{done.stderr[-4000:]}")
    return tree


def environment(tree: Path, log: Path) -> dict[str, str]:
    """Environment of a Python that runs lbd from that tree; every report of a sanitizer goes to a file beside `log`."""
    options = f"log_path={log}:abort_on_error=0:exitcode=99"
    return {**os.environ, "PYTHONPATH": str(tree), "LD_PRELOAD": " ".join(runtime()), "PYTHONMALLOC": "malloc",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASAN_OPTIONS": f"detect_leaks=0:handle_segv=1:allocator_may_return_null=1:{options}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:{options}"}


def reports(log: Path) -> str:
    """Everything that sanitizers reported so far."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(log.parent.glob(f"{log.name}.*")))
