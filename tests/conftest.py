"""Every asynchronous test runs on uvloop, as production does, and no process compiles what another one has compiled."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping

import pytest
import uvloop

# Hundreds of processes are started. Where the environment forbids bytecode beside the sources it goes elsewhere: one
# place for the whole run, which the processes of the tests inherit, and those of another user may read.
if sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ:
    _bytecode = tempfile.TemporaryDirectory(prefix="lbd-test-bytecode-")
    os.chmod(_bytecode.name, 0o755)
    os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_asyncio_loop_factories(
        config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}
