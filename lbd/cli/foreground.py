"""The daemon in this process, which ends with it."""

import asyncio
import contextlib
import os
import sys
from typing import NoReturn

import uvloop

from lbd.config.reader import Loaded
from lbd.control.supervisor import Supervisor
from lbd.log import strays
from lbd.reload.config_source import Load


def serve(load: Load, loaded: Loaded) -> NoReturn:
    """Serve until SIGTERM or Ctrl-C, then end the process: with 1 when lbd cannot start."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    strays.gather(loop)
    leave(loop.run_until_complete(_supervise(load, loaded)))


def leave(code: int) -> NoReturn:
    """End the process at once, without cleaning up: interpreter, loop and libraries would wait for threads in which a
    look-up or a disk hangs, and the kernel frees all resources."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


async def _supervise(load: Load, loaded: Loaded) -> int:
    return await Supervisor(load, loaded).run()
