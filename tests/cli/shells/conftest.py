"""A directory with an `lbd` for the scripts to call, and the scripts."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbd.cli import grammar
from lbd.cli.shells import SHELLS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def shell(tmp_path: Path, fake_daemon: Any) -> Callable[[str], tuple[str, str, dict[str, str]]]:
    """Of a shell: its path, the file of the script, and an environment with lbd and a daemon that has servers."""
    fake_daemon.answers["GET", "/v1/backends"] = 200, {"backends": {"app": {"servers": {"one": {}, "two": {}}}}}
    (tmp_path / "lbd").write_text(f'#!/bin/sh\nexec {sys.executable} -m lbd "$@"\n')
    (tmp_path / "lbd").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
                   "LBD_ADMIN": fake_daemon.bind, "HOME": str(tmp_path), "TERM": "dumb"}

    def made(name: str) -> tuple[str, str, dict[str, str]]:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is missing")
        file = tmp_path / f"script.{name}"
        file.write_text(SHELLS[name](grammar.commands()))
        return path, str(file), environment
    return made
