"""Kernels under AddressSanitizer and UBSan: their own tests, wire scripts, and connections that break off anywhere."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fuzz import sanitized

pytestmark = [pytest.mark.sanitize, pytest.mark.timeout(1500)]
ROOMS = ("http", "net", "proxy", "stats", "balance", "wire", "access_log", "filters")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sanitized.runtime():
        pytest.skip("gcc and its sanitizers are not installed")
    return sanitized.build(tmp_path_factory.mktemp("sanitized"))


def run(tree: Path, environment: Mapping[str, str], *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("room", [*ROOMS, "fuzz/test_corpus.py"])
def test_a_room_passes_its_tests(tree: Path, tmp_path: Path, room: str) -> None:
    log = tmp_path / "report"
    run(tree, sanitized.environment(tree, log), "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600",
        f"tests/{room}")
    assert sanitized.reports(log) == ""


def test_connections_that_break_off_anywhere(tree: Path) -> None:
    """The seed of a run is in what it prints."""
    environment = {**sanitized.environment(tree, tree / "none"), "LD_PRELOAD": "", "PYTHONMALLOC": ""}
    run(tree, environment, "tests.fuzz.connections", "--tree", str(tree), "--connections", "4000", "--seconds", "240")
