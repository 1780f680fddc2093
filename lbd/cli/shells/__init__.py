"""Completion scripts, one shell a file."""

from collections.abc import Callable, Mapping, Sequence

from lbd.cli.grammar import Command
from lbd.cli.shells import bash, fish, zsh

# How a shell is told of the commands.
SHELLS: Mapping[str, Callable[[Sequence[Command]], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
}
