"""The grammar of the command line, as completion and the manual need it: taken from the very parsers that read it."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from lbd.balance import ALGORITHMS
from lbd.cli import command_line, guide
from lbd.cli.wait_conditions import CONDITIONS

FILE, TARGET, REST = "a file", "a server or backend", "a command with its words"

# The values of a metavar or an option, where they are known: words, or one of the kinds above.
VALUES: Mapping[str, str | tuple[str, ...]] = {
    "FILE": FILE,
    "BACKEND/SERVER": TARGET,
    "BACKEND[/SERVER]": TARGET,
    "COMMAND": REST,
    "SUBJECT": (*command_line.MODULES, *guide.topics(), *(name for name, _, _ in command_line.REFERENCES)),
    "CONDITION": (*CONDITIONS, "usable="),
    "SHELL": ("bash", "zsh", "fish"),
    "--algorithm": tuple(ALGORITHMS),
}


@dataclass(frozen=True, slots=True)
class Word:
    """An option with its flags, or an operand without any. `value` is the metavar of what follows, "" for nothing, and
    `what` says what that can be: `FILE`, `TARGET`, `REST`, some words, or "" for anything. `bare`: an option that goes
    without its value too."""

    flags: tuple[str, ...]
    value: str
    help: str
    repeated: bool = False
    optional: bool = True
    what: str | tuple[str, ...] = ""
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command; "" is lbd without one."""

    name: str
    group: str
    help: str
    options: tuple[Word, ...]
    operands: tuple[Word, ...]


def commands() -> tuple[Command, ...]:
    """All of them, lbd without one first."""
    found = [_command("", "", command_line.ABOUT, command_line.parser(""))]
    for name, _, group, text in command_line.COMMANDS:
        found.append(_command(name, group, text, command_line.parser(name)))
    return tuple(found)


def _command(name: str, group: str, text: str, parser: argparse.ArgumentParser) -> Command:
    words = [_word(action) for action in parser._actions]
    return Command(name, group, text, tuple(word for word in words if word.flags),
                   tuple(word for word in words if not word.flags))


def _word(action: argparse.Action) -> Word:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    what: str | tuple[str, ...] = tuple(map(str, action.choices)) if action.choices is not None else ""
    for name in (value, *action.option_strings):
        what = what or VALUES.get(name, "")
    repeated = isinstance(action, argparse._AppendAction)
    return Word(tuple(action.option_strings), value, str(action.help or ""), repeated,
                bool(action.option_strings and not action.required) or action.nargs == "?", what,
                bool(action.option_strings) and action.nargs == "?")
