"""lbd.cli.kernels: a source tree that was not built says what to do, in one line."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from lbd.cli import kernels

ROOT = Path(__file__).parents[2]


def test_which_are_missing(tmp_path: Path) -> None:
    (tmp_path / "lbd/net").mkdir(parents=True)
    for name in ("a.pyx", "b.pyx", f"b{EXTENSION_SUFFIXES[0]}", "net/c.pyx", "net/c.cpython-20-other.so"):
        (tmp_path / "lbd" / name).touch()
    assert kernels.missing(tmp_path / "lbd") == ("lbd.a", "lbd.net.c")
    assert kernels.missing() == ()
    assert "lacks its compiled kernels (lbd.a and 1 more): build" in kernels.advice(("lbd.a", "lbd.net.c"))


@pytest.mark.parametrize("words", ["check -c none.toml", "-c none.toml", "help"])
def test_a_python_without_what_lbd_needs_says_so_in_a_line(words: str) -> None:
    done = subprocess.run([sys.executable, "-S", "-m", "lbd", *words.split()], cwd=ROOT,
                          env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"lbd: {sys.executable} has no module ")
    assert done.stderr.endswith(", which lbd needs: run an installed lbd by its command, lbd, or first pip install .\n")


def test_a_module_of_lbd_itself_that_does_not_exist_is_no_matter_of_installing() -> None:
    assert kernels.advice_on(ModuleNotFoundError(name="lbd.nothing")) == ""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source tree without anything compiled."""
    made = tmp_path_factory.mktemp("tree")
    for part in ("lbd", "tests/bench"):
        shutil.copytree(ROOT / part, made / part, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c"))
    return made


@pytest.mark.parametrize("words", ["lbd check -c none.toml", "lbd -c none.toml", "lbd", "lbd help",
                                   "tests.bench --quick"])
def test_one_line_says_what_to_do(tree: Path, words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-m", *words.split()], cwd=tree, env=environment, capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"lbd: {tree}/lbd lacks its compiled kernels (lbd.access_log.line and ")
    assert done.stderr.count("\n") == 1
