"""The types of arguments: values of the command line are read by the rules of the configuration file."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lbd.cli import options
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.wording import shown


def kind(of: ValueKind) -> Callable[[str], Any]:
    """A `type=` for argparse that reads a value by the rules of the configuration file."""

    def parse(text: str) -> Any:
        try:
            return of.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{shown(text)} {error}; must be {of.allowed}") from None

    return parse


def checked(parse: Callable[[str], Any]) -> Callable[[str], str]:
    """A `type=` for argparse that checks a value and keeps its text."""
    def check(text: str) -> str:
        parse(text)
        return text

    return check


def number(of: ValueKind) -> Callable[[str], Any]:
    """A `type=` for argparse that reads an integer by the rules of the configuration file."""
    def parse(text: str) -> Any:
        if re.fullmatch("-?[0-9]+", text):
            return of.parse(int(text))
        if of.schema.get("type") == "integer":       # no word could be meant
            raise ValueError("is not a number")
        return of.parse(text)

    return kind(replace(of, parse=parse))


# The types of the options in `cli.options`, text where none stands here. `--health-interval` is seconds.
TYPES: Mapping[str, Callable[[str], object]] = {
    "--listen": checked(kind(u.BIND)),
    "--server": checked(kind(u.ADDRESS)),
    "--health-path": kind(u.URL_PATH),
    "--health-interval": kind(u.DURATION),
    "--workers": checked(number(u.WORKERS)),
}


def add_group(parser: argparse.ArgumentParser, table: options.Table, title: str) -> None:
    """Give the parser a titled group with every option of the table."""
    group = parser.add_argument_group(title)
    for flags, settings in table:
        group.add_argument(*flags, **settings, type=TYPES.get(flags[0], str))
