"""An argument parser that raises `UsageError` and suggests the option that was probably meant."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from lbd.cli import emphasis, pager
from lbd.errors import UsageError
from lbd.schema.kinds import ValueKind
from lbd.wording import nearest, shown

HELP_COLUMN = 30  # column of the help texts
HELP_WIDTH = 110


def kind(of: ValueKind) -> Callable[[str], Any]:
    """A `type=` for argparse that reads a value by the rules of the configuration file."""

    def read(text: str) -> Any:
        try:
            return of.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{shown(text)} {error}; must be {of.allowed}") from None

    return read


def checked(read: Callable[[str], Any]) -> Callable[[str], str]:
    """A `type=` for argparse that checks a value and keeps its text."""
    def check(text: str) -> str:
        read(text)
        return text

    return check


def number(of: ValueKind) -> Callable[[str], Any]:
    """A `type=` for argparse that reads an integer by the rules of the configuration file."""
    def read(text: str) -> Any:
        if re.fullmatch("-?[0-9]+", text):
            return of.read(int(text))
        if of.schema.get("type") == "integer":       # no word could be meant
            raise ValueError("is not a number")
        return of.read(text)

    return kind(replace(of, read=read))


class Parser(argparse.ArgumentParser):
    """The parser of one command; use `read_words` instead of `parse_args`."""

    def __init__(self, prog: str, text: str, usage: str | None = None) -> None:
        super().__init__(
            prog=prog, description=text, usage=usage, allow_abbrev=False,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
                prog, 2, HELP_COLUMN, emphasis.width(HELP_WIDTH)))
        self._optionals.title = "options"

    def print_help(self, file: Any = None) -> None:
        """Print all options on standard output: on a terminal with emphasis, through a pager where they are many."""
        pager.show(emphasis.emphasised(self.format_help()))

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with one line, which names the help of the command."""
        text = message.removeprefix("argument ")
        raise UsageError(f"{text} (see {self.prog} --help)")

    def read_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words; raises `UsageError` for unknown options, bad values and surplus words."""
        args, rest = self.parse_known_args(words)
        if not rest:
            return args
        word = rest[0]
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            return self.error(f"unknown option {name}{nearest(name, self._option_string_actions)}")
        file = word.endswith(".toml") and "--config" in self._option_string_actions
        hint = "; a file is given with -c" if file else ""
        return self.error(f"{shown(word)} is one word too many{hint}")
