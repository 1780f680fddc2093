"""`lbd help`: the commands, the options of one, or a text of the guide."""

import argparse

from lbd.cli import command_line, guide
from lbd.errors import UsageError
from lbd.schema.kinds import nearest, shown

HELP = "show all commands, the options of one, or a topic: " + ", ".join(guide.topics())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to tell of."""
    parser.add_argument("subject", metavar="COMMAND|TOPIC", nargs="?", default="",
                        help="default: what lbd is, and every command")


def run(args: argparse.Namespace) -> int:
    """Print it; 0, or `UsageError` where there is no such command or topic."""
    topics = guide.topics()
    if args.subject in topics:
        print(topics[args.subject].read_text("utf-8"), end="")
    elif not args.subject or args.subject in command_line.MODULES:
        command_line.parser(args.subject, told=True).print_help()
    else:
        known = [*command_line.MODULES, *topics]
        raise UsageError(f"{shown(args.subject)} is no command and no topic{nearest(args.subject, known)} "
                         "(lbd help lists them all)")
    return 0
