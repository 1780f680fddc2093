"""Compiled modules that are ordinary Python do the same from their source, which readers and debuggers see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import uncompiled

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests/wire", "tests/exchange", "tests/downstream", "tests/upstream", "tests/filters", "tests/routing",
           "tests/backend", "tests/proxy")


def test_the_sources_are_imported() -> None:
    asked = ("import sys; from tests import uncompiled; uncompiled.install(); "
             "print(*(__import__(name, fromlist=['x']).__file__ for name in sys.argv[1:]))")
    names = uncompiled.SourceFinder().sources
    done = subprocess.run([sys.executable, "-c", asked, *names], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(path) for path in names.values()]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_behaviour_is_the_same() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FOLDERS], cwd=ROOT,
                          env={**environment, uncompiled.ASKED: "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
