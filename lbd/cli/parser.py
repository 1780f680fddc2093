"""An argument parser that raises `UsageError` and suggests the option that was probably meant."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from lbd.cli import emphasis, pager
from lbd.errors import UsageError
from lbd.wording import nearest, shown

HELP_COLUMN = 30  # column of the help texts
HELP_WIDTH = 110


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
