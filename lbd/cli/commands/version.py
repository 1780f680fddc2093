"""`lbd version`: the version of this installation."""

import argparse

from lbd import __version__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def run(args: argparse.Namespace) -> int:
    """Print the version: 0."""
    print(f"lbd {__version__}")
    return 0
