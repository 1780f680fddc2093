"""`lbd -c FILE`: run in the foreground until told to stop."""

import argparse
import asyncio
import contextlib
import dataclasses
import os
import sys
from collections.abc import Mapping
from typing import NoReturn

import uvloop

from lbd.balance import ALGORITHMS
from lbd.cli import options
from lbd.config.document import Document
from lbd.config.read import CommandLine, Loaded, from_options, read
from lbd.control.supervisor import Supervisor
from lbd.errors import UsageError
from lbd.health import CHECKS
from lbd.log import strays
from lbd.reload.config_source import Load
from lbd.schema import units as u

HELP = "run in the foreground"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the configuration."""
    options.add(parser, options.CONFIGURATION, "configuration")


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


def loader(args: argparse.Namespace) -> Load:
    """The function that reads the configuration, at the start and at every reload; options override the file.

    Called with a file, it reads that one instead, with the same options; `good` are the documents in force.
    """
    text: str | None = args.workers   # the parser has checked it
    workers: int | None = None if text is None else u.WORKERS.read(int(text) if text.isdecimal() else text)
    command_line = CommandLine(args.algorithm, args.health_interval, args.health_path)
    if args.config:
        if args.listen or args.server:
            raise UsageError("--listen and --server stand for a file: give them, or -c FILE, but not both")

        def load(file: str | None = None, good: Mapping[str, Document] | None = None) -> Loaded:
            loaded = read(file or args.config, ALGORITHMS, CHECKS, command_line, good)
            if workers is None:
                return loaded
            settings = dataclasses.replace(loaded.config.global_, workers=workers)
            return dataclasses.replace(loaded, config=dataclasses.replace(loaded.config, global_=settings))
        return load
    if not args.listen or not args.server:
        raise UsageError("nothing to do: give -c FILE, or --listen ADDR and --server ADDR (lbd --help tells more)")

    def make(file: str | None = None, good: Mapping[str, Document] | None = None) -> Loaded:
        if file is not None:
            return read(file, ALGORITHMS, CHECKS, command_line)
        return from_options(args.listen, args.server, ALGORITHMS, CHECKS, command_line=command_line, workers=text)
    return make


async def _serve(load: Load, loaded: Loaded) -> int:
    return await Supervisor(load, loaded).run()
