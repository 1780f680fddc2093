"""`lbd -c FILE`: run in the foreground until told to stop."""

import argparse

from lbd.cli import argument_types, options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the configuration."""
    argument_types.add_group(parser, options.CONFIGURATION, "configuration")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C, then end the process: with 1 when lbd cannot start. Raises `ConfigError` and
    `UsageError`."""
    from lbd.cli.config_loader import loader  # late: lbd --help, which needs the options alone
    load = loader(args)
    loaded = load()
    from lbd.control import worker  # late: what follows is no part of the template
    from lbd.workers import template  # late: as above
    template.begin(worker.main)
    from lbd.cli.foreground import serve  # late: as above
    serve(load, loaded)
