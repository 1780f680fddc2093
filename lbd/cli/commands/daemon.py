"""`lbd -c FILE`: run in the foreground until told to stop."""

import argparse
import asyncio
import contextlib
import os
import sys
from typing import NoReturn

import uvloop

from lbd.cli import argument_types, options
from lbd.cli.config_loader import loader
from lbd.config.reader import Loaded
from lbd.control.supervisor import Supervisor
from lbd.log import strays
from lbd.reload.config_source import Load

HELP = "run in the foreground"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the configuration."""
    argument_types.add_group(parser, options.CONFIGURATION, "configuration")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C, then end the process: with 1 when lbd cannot start. Raises `ConfigError` and
    `UsageError`."""
    load = loader(args)
    loaded = load()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    strays.gather(loop)
    leave(loop.run_until_complete(_serve(load, loaded)))


def leave(code: int) -> NoReturn:
    """End the process at once, without cleaning up: interpreter, loop and libraries would wait for threads in which a
    look-up or a disk hangs, and the kernel frees all resources."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


async def _serve(load: Load, loaded: Loaded) -> int:
    return await Supervisor(load, loaded).run()
