"""The callbacks of a connection are those of asyncio."""

import asyncio
import inspect

from lbd.net.callbacks import Callbacks


def test_asyncio_protocols_fit():
    named = {name for name, _ in inspect.getmembers(Callbacks, inspect.isfunction) if not name.startswith("_")}
    assert named == {name for name in dir(asyncio.Protocol) if not name.startswith("_")}
    for name in named:
        ours = inspect.signature(getattr(Callbacks, name)).parameters
        assert list(ours) == list(inspect.signature(getattr(asyncio.Protocol, name)).parameters)
