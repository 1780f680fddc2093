"""Fixtures of every system test."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's import mode leaves sys.path alone: tests that share these find them by their plain names, and the
# benchmarks, whose ports come from the same count, by their full ones.
for name in ("lbd_process", "origin", "load", "wicked", "haproxy", "browser", "collector", "prometheus", "tls_site"):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = sys.modules[f"tests.system.{name}"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


@pytest.fixture(scope="session", autouse=True)
def _daemons_end() -> Iterator[None]:
    yield
    sys.modules["lbd_process"].dismiss()
