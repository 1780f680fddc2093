"""Completion scripts, one shell a file.

They are written here, and not by shtab: the scripts of that (1.13) lose server names with colons and `--option=VALUE`
in bash, and want `eval` in zsh, where these can be sourced.
"""

from collections.abc import Callable, Mapping, Sequence

from lbd.cli.grammar import Command
from lbd.cli.shells import bash, fish, zsh

# How a shell is told of the commands.
SHELLS: Mapping[str, Callable[[Sequence[Command]], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
}
