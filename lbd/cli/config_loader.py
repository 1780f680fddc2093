"""The loader of the configuration that the command line names: a file, or the options that stand for one."""

import argparse
import dataclasses
from collections.abc import Mapping

from lbd.balance import ALGORITHMS
from lbd.config.document import Document
from lbd.config.reader import CommandLine, Loaded, read_file, read_options
from lbd.errors import UsageError
from lbd.health import CHECKS
from lbd.reload.config_source import Load
from lbd.schema import units as u


def loader(args: argparse.Namespace) -> Load:
    """The function that reads the configuration, at the start and at every reload; options override the file.

    Called with a file, it reads that one instead, with the same options; `good` are the documents in force.
    """
    text: str | None = args.workers   # the parser has checked it
    workers: int | None = None if text is None else u.WORKERS.parse(int(text) if text.isdecimal() else text)
    command_line = CommandLine(args.algorithm, args.health_interval, args.health_path)
    if args.config:
        if args.listen or args.server:
            raise UsageError("--listen and --server stand for a file: give them, or -c FILE, but not both")

        def load(file: str | None = None, good: Mapping[str, Document] | None = None) -> Loaded:
            loaded = read_file(file or args.config, ALGORITHMS, CHECKS, command_line, good)
            if workers is None:
                return loaded
            settings = dataclasses.replace(loaded.config.global_, workers=workers)
            return dataclasses.replace(loaded, config=dataclasses.replace(loaded.config, global_=settings))
        return load
    if not args.listen or not args.server:
        raise UsageError("nothing to do: give -c FILE, or --listen ADDR and --server ADDR (lbd --help tells more)")

    def make(file: str | None = None, good: Mapping[str, Document] | None = None) -> Loaded:
        if file is not None:
            return read_file(file, ALGORITHMS, CHECKS, command_line)
        return read_options(args.listen, args.server, ALGORITHMS, CHECKS, command_line=command_line, workers=text)
    return make
