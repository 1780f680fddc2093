"""`lbd man`: the manual page, made from the tables of the command line (man(7)).

It is written here, and not by argparse-manpage: that (4.8) repeats the usage and the shared options in each command,
and has neither groups of commands nor SIGNALS, EXIT STATUS, ENVIRONMENT and FILES. The text comes from modules that
import the kernels and all dependencies, which a build does not have: so the page is part of the source tree.
"""

import argparse
import inspect
import re
from collections.abc import Collection, Iterator

from lbd import __version__
from lbd.cli import grammar, options
from lbd.cli.command_line import ABOUT
from lbd.cli.grammar import Command, Word
from lbd.control.signals import SIGNALS
from lbd.control.supervisor import Supervisor

EXIT_CODES = (("0", "done"), ("1", "a bad configuration, or no success: no daemon answers, a reload fails"),
              ("2", "bad usage"), ("3", "not so in time (lbd wait, lbd drain --wait)"), ("130", "ended by Ctrl-C"))
ENVIRONMENT = (
    ("LBD_ADMIN", "where commands find the daemon: unix:PATH, HOST:PORT or https://HOST:PORT"),
    ("LBD_TOKEN_FILE", "file with the token that a TCP address needs"),
    ("LBD_ADMIN_CA", "file with the authorities of the daemon's certificate"),
    ("LBD_ADMIN_CERT", "file with a certificate and its key, where the daemon wants one"),
    ("XDG_RUNTIME_DIR", "where the admin socket is instead of /run/lbd, if that cannot be made"),
    ("XDG_STATE_HOME", "where the state is kept instead of /var/lib/lbd, if that cannot be made"))
FILES = (("/run/lbd/admin.sock", "the admin socket"),
         ("/var/lib/lbd/runtime.toml", "registered servers and runtime changes"),
         ("share/lbd/lbd.toml", "every key of the configuration with its default; below the installation's prefix"))
SYNOPSIS = (("lbd", "-c FILE", "[options]"), ("lbd", "--listen ADDR --server ADDR", "[--server ADDR ...] [options]"),
            ("lbd", "COMMAND", "[options]"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments."""


def run(args: argparse.Namespace) -> int:
    """Print the manual page: 0."""
    print(page(), end="")
    return 0


def page() -> str:
    """The whole page as roff."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    own, *others = grammar.commands()
    yield f'.TH LBD 1 "" "lbd {__version__}" "User Commands"'
    yield from (".SH NAME", "lbd \\- load balancer daemon for HTTP and TCP", ".SH SYNOPSIS")
    for at, (name, words, rest) in enumerate(SYNOPSIS):
        yield from (*((".br",) if at else ()), f".B {_text(f'{name} {words}')}", _text(rest))
    yield from (".SH DESCRIPTION", _text(ABOUT), ".SH OPTIONS")
    yield from _words(own)
    shared = {settings["help"] for _, settings in options.ADMIN}
    group = ""
    yield from (".SH COMMANDS", "Commands that ask a running daemon also take the options under ASKING below.")
    for command in others:
        if command.group != group:
            group = command.group
            yield f".SS {_text(group[:1].upper() + group[1:])}"
        yield from (".TP", f".B lbd {_text(command.name)}{_usage(command)}", _text(f"{command.help}."))
        inner = tuple(_words(command, shared))
        yield from (".RS", *inner, ".RE") if inner else ()
    yield ".SH ASKING"
    for flags, settings in options.ADMIN:
        yield from (".TP", _term(Word(flags, settings["metavar"], "")), _text(settings["help"]))
    yield from _list("SIGNALS", tuple((number.name, _first(name)) for number, name in SIGNALS.items()))
    yield from _list("EXIT STATUS", EXIT_CODES)
    yield from _list("ENVIRONMENT", ENVIRONMENT)
    yield from _list("FILES", FILES)


def _usage(command: Command) -> str:
    return "".join(f" \\fI{_text(f'[{word.value}]' if word.optional else word.value)}\\fR" for word in command.operands)


def _words(command: Command, shared: Collection[str] = ()) -> Iterator[str]:
    for word in (*command.operands, *command.options):
        if word.flags[:1] == ("-h",) or word.help in shared:
            continue
        yield from (".TP", _term(word), _text(word.help or "see above"))


def _term(word: Word) -> str:
    if not word.flags:
        return f".I {_text(word.value)}"
    name = f"[{word.value}]" if word.bare else word.value
    value = f" \\fI{_text(name)}\\fR" if name else ""
    return ", ".join(f"\\fB{_text(flag)}\\fR" for flag in word.flags) + value


def _list(title: str, items: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {title}"
    for name, text in items:
        yield from (".TP", f".B {_text(name)}", _text(text))


def _first(handler: str) -> str:
    """The docstring of a signal's handler, without the name of the signal."""
    text = " ".join((inspect.getdoc(getattr(Supervisor, handler)) or "").split())
    return text.partition(": ")[2]


def _text(text: str) -> str:
    """The text so that roff leaves it as it is: hyphens that can be copied, and no line that begins with a request."""
    text = text.replace("%%", "%").replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text)
