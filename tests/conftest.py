"""Every asynchronous test runs on uvloop, as production does; processes share what is compiled, and the work evenly."""

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop
from xdist.scheduler import WorkStealingScheduling

from tests import uncompiled

if uncompiled.ASKED in os.environ:
    uncompiled.install()

# Hundreds of processes are started. Where the environment forbids bytecode beside the sources it goes elsewhere: one
# place for the whole run, which the processes of the tests inherit, and those of another user may read.
if sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ:
    _bytecode = tempfile.TemporaryDirectory(prefix="lbd-test-bytecode-")
    os.chmod(_bytecode.name, 0o755)
    os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where several processes run the tests, these long ones come first, and a process that has none left takes from the
# others, lest one runs alone at the end. Those that fork stay before those of tests/system, which leave threads behind.
LONGEST = ("tests/test_source.py::test_types", "tests/test_source.py::test_stubs")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WorkStealingScheduling | None:
    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: [not item.nodeid.startswith(start) for start in LONGEST])


def pytest_asyncio_loop_factories(
        config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module", autouse=True)
def _freeze_what_stays() -> None:
    """Modules, tests and the like stay to the end: collections, which many a test calls for, do not look at them."""
    gc.collect()
    gc.freeze()
