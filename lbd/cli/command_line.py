"""The command line: the table of commands, their dispatch, and the exit codes."""

import contextlib
import importlib
import sys
import textwrap
from collections.abc import Sequence

from lbd.cli import emphasis, guide, kernels, options
from lbd.cli.parser import Parser
from lbd.cli.streams import ReaderLeft, discard_output, print_error
from lbd.errors import ConfigError, LbdError, UsageError
from lbd.log.stream import Stream
from lbd.process import standard
from lbd.wording import nearest, shown

FAILED = 1         # a configuration that cannot be used, a daemon that does not answer or refuses
BAD_USAGE = 2      # a command line that cannot be understood
PATIENCE = 5.0     # seconds that a pipe may take nothing of an error before the process ends without a word
INTERRUPTED = 130  # Ctrl-C, as shells count it

WIDTH = 130        # columns of the list of commands where it is for no terminal
READING = "guides and references, shown by lbd help NAME"

FOREGROUND = "lbd.cli.commands.daemon"

# Command, its module, the group it is shown in, and its line of help.
# A module has add_arguments(parser) and run(args) -> exit code, and is imported for its own command only.
COMMANDS: tuple[tuple[str, str, str, str], ...] = (
    ("check", "lbd.cli.commands.check", "commands for a configuration",
     "say everything that is wrong with a configuration; exit code 0 if it can be used"),
    ("schema", "lbd.cli.commands.schema", "commands for a configuration",
     "print every key of the configuration with its default, as TOML or as JSON Schema"),
    ("status", "lbd.cli.commands.status", "commands for a running daemon",
     "show how the running daemon and its servers are"),
    ("top", "lbd.cli.commands.top", "commands for a running daemon",
     "watch the servers live: sort, filter, look into one, drain it"),
    ("events", "lbd.cli.commands.events", "commands for a running daemon",
     "show what happened lately: state changes, reloads, ends of workers"),
    ("explain", "lbd.cli.commands.explain", "commands for a running daemon", "show where a request goes, and why"),
    ("plan", "lbd.cli.commands.plan", "commands for a running daemon",
     "show what a reload would do; exit code 0 nothing, 2 changes, 1 errors"),
    ("reload", "lbd.cli.commands.reload", "commands for a running daemon",
     "make the running daemon read its configuration again; a bad one changes nothing"),
    ("confirm", "lbd.cli.commands.confirm", "commands for a running daemon",
     "keep what lbd reload --confirm put in force"),
    ("rollback", "lbd.cli.commands.rollback", "commands for a running daemon",
     "put the generation before the one in force back; again for the one before that"),
    ("upgrade", "lbd.cli.commands.upgrade", "commands for a running daemon",
     "have the running daemon become the installed version, in place"),
    ("config", "lbd.cli.commands.config", "commands for a running daemon",
     "show the configuration in force (or of a file), and where each value is from"),
    ("drain", "lbd.cli.commands.drain", "commands for its servers",
     "let a server finish what it has and take nothing new"),
    ("ready", "lbd.cli.commands.ready", "commands for its servers", "let a server take requests"),
    ("maint", "lbd.cli.commands.maint", "commands for its servers", "take a server out for maintenance"),
    ("weight", "lbd.cli.commands.weight", "commands for its servers", "give a server another weight"),
    ("overrides", "lbd.cli.commands.overrides", "commands for its servers",
     "list what was changed while lbd runs, or go back to what the files say"),
    ("wait", "lbd.cli.commands.wait", "commands for its servers",
     "wait until a server is drained or up, or a backend has enough usable servers"),
    ("register", "lbd.cli.commands.register", "commands for its servers",
     "register a server for as long as a command runs"),
    ("demo", "lbd.cli.commands.demo", "commands for trying it out",
     "start three demo servers and lbd before them, and say what to try"),
    ("demo-server", "lbd.cli.commands.demo_server", "commands for trying it out",
     "run a small HTTP server that answers with what it received"),
    ("simulate", "lbd.cli.commands.simulate", "commands for trying it out",
     "find out which algorithm suits a fleet and its load, in simulated time"),
    ("help", "lbd.cli.commands.help", "commands about lbd itself",
     "show all commands and guides; or one command, guide, key, metric or ending"),
    ("version", "lbd.cli.commands.version", "commands about lbd itself",
     "print the version (also: lbd --version, lbd -V)"),
    ("completion", "lbd.cli.commands.completion", "commands for the shell",
     "print the completion script of a shell: bash, zsh or fish"),
    ("man", "lbd.cli.commands.man", "commands for the shell", "print the manual page (lbd man | man -l -)"),
)

MODULES = {name: module for name, module, _, _ in COMMANDS}
HELP = {name: text for name, _, _, text in COMMANDS}

# Options of the foreground that stand for a command.
SHORT = {"--version": "version", "-V": "version", "--check": "check", "-t": "check"}

HELPING = frozenset({"--help", "-h"})

# Options of the foreground after which a command may stand.
FLAGS = frozenset({*SHORT, *HELPING, "--json"})

# What `lbd help` prints from tables of the code, beside the guides: name, its module, and its line of help.
# A module has names(), table() and entry(name).
REFERENCES: tuple[tuple[str, str, str], ...] = (
    ("keys", "lbd.cli.reference.keys", "every key of the configuration with its default; lbd help KEY: more of one"),
    ("metrics", "lbd.cli.reference.metrics", "every metric for Prometheus; lbd help METRIC: more of one"),
)

ABOUT = "lbd is a load balancer daemon. Without a command it runs in the foreground until SIGTERM or Ctrl-C."
USAGE = "lbd -c FILE [options]\n       lbd --listen ADDR --server ADDR [--server ADDR ...] [options]\n" \
        "       lbd COMMAND [options]"
EXIT_CODES = "exit codes:\n  0 done, 1 bad configuration or no success, 2 bad usage"


def split(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command ("" for the foreground) and all other words: options may stand before the command or after it."""
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-") and word != "-":
            skip = word in options.VALUED
        elif word in MODULES:
            return word, [*words[:at], *words[at + 1:]]
        elif at and words[at - 1].startswith("-") and words[at - 1] not in FLAGS:
            break  # the value of an unknown option: the parser reports it
        else:
            raise UsageError(f"unknown command {shown(word)}{nearest(word, MODULES)} (lbd --help lists them all)")
    return "", list(words)


def overview() -> str:
    """Text about lbd: the commands by group, then guides and references, each with a line of its own."""
    lists: dict[str, list[tuple[str, str]]] = {}
    for name, _, group, text in COMMANDS:
        lists.setdefault(group, []).append((name, text))
    lists[READING] = [(name, guide.summary(path)) for name, path in guide.topics().items()]
    lists[READING] += [(name, text) for name, _, text in REFERENCES]
    parts = [ABOUT]
    for title, entries in lists.items():
        parts.append("\n".join([f"{title}:", *(_line(name, text) for name, text in entries)]))
    return "\n\n".join([*parts, "lbd COMMAND --help, or lbd help COMMAND, tells more."])


def _line(name: str, text: str) -> str:
    return textwrap.fill(text, emphasis.width(WIDTH), initial_indent=f"  {name:<22}  ", subsequent_indent=26 * " ",
                         break_on_hyphens=False)


def parser(command: str, told: bool = False) -> Parser:
    """The parser of a command, or ("") of `lbd` without one, whose help lists the commands (`told`)."""
    module = importlib.import_module(MODULES.get(command, FOREGROUND))
    made = Parser(f"lbd {command}", HELP[command]) if command else Parser("lbd", ABOUT, USAGE)
    module.add_arguments(made)
    if not command:
        made.add_argument("-t", "--check", action="store_true", help="only check the configuration, like lbd check")
        made.add_argument("-V", "--version", action="store_true", help="print the version and exit")
        if told:
            made.description, made.epilog = overview(), EXIT_CODES
    elif told and (topics := guide.running(command)):
        examples = f"examples:\n  {', '.join(f'lbd help {topic}' for topic in topics)}"
        made.epilog = "\n\n".join(filter(None, (made.epilog, examples)))
    return made


def dispatch(words: Sequence[str]) -> int:
    """Find the command, read its options, run it."""
    command, rest = split(words)
    told = not HELPING.isdisjoint(rest)
    if not command and not told:
        command = next((name for flag, name in SHORT.items() if flag in rest), "")
        if command == "version":
            rest = []
        elif command:
            rest = [word for word in rest if word not in SHORT]
    module = importlib.import_module(MODULES.get(command, FOREGROUND))
    code: int = module.run(parser(command, told).read_words(rest))
    return code


def print_failure(error: LbdError) -> None:
    """Print a line per problem on stderr. A supervisor may wait for this process to end, so an unread pipe delays it
    for `PATIENCE` at most."""
    lines = [str(problem) for problem in error.problems] if isinstance(error, ConfigError) else [f"lbd: {error}"]
    text = "\n".join(lines) + "\n"
    try:
        sys.stderr.flush()
        stream = Stream(sys.stderr.fileno(), None if sys.stderr.isatty() else PATIENCE)
    except (AttributeError, OSError, ValueError):    # closed, or no file
        print_error("\n".join(lines))
        return
    with contextlib.suppress(OSError):
        stream.write(text.encode(sys.stderr.encoding, "backslashreplace"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (without the program's name; default: `sys.argv`) and return the exit code.

    A reader that closes the output early changes no outcome; without an outcome yet, the command has succeeded.
    """
    code = 0
    standard.fill()
    try:
        code = run_command(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError as error:
        code = error.code if isinstance(error, ReaderLeft) else code
        discard_output(sys.stdout)
    return code


def run_command(words: Sequence[str]) -> int:
    """Run the command; errors go to standard error and become exit codes."""
    try:
        return dispatch(words)
    except UsageError as error:
        print_failure(error)
        return BAD_USAGE
    except LbdError as error:
        print_failure(error)
        return FAILED
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else BAD_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if not (advice := kernels.advice_on(error)):
            raise
        print_error(f"lbd: {advice}")
        return FAILED
