"""`lbd help`: the commands and guides, the options of a command, a guide, or a key, metric or ending."""

import argparse
import importlib
from collections.abc import Mapping
from types import ModuleType

from lbd.cli import command_line, emphasis, guide, markdown, pager
from lbd.cli.reference import endings
from lbd.errors import UsageError
from lbd.wording import nearest, shown

# Tables of the code that are printed as a whole, by their topic, and those of which one entry is.
WHOLE: Mapping[str, ModuleType] = {name: importlib.import_module(module) for name, module, _ in command_line.REFERENCES}
ENTRIES = (*WHOLE.values(), endings)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subject of the help."""
    parser.add_argument("subject", metavar="SUBJECT", nargs="?", default="",
                        help="a command, a guide, keys, metrics, or the name of a key, a metric or an ending; "
                             "default: what lbd is, every command and every guide")


def run(args: argparse.Namespace) -> int:
    """Print it; 0, or `UsageError` where there is no such subject."""
    subject: str = args.subject
    topics = guide.topics()
    if not subject or subject in command_line.MODULES:
        command_line.parser(subject, told=True).print_help()
    elif subject in topics:
        pager.show(markdown.page(guide.text(topics[subject])))
    elif subject in WHOLE:
        pager.show(emphasis.of_reference(WHOLE[subject].table()))
    else:
        pager.show(emphasis.of_reference(entry(subject)))
    return 0


def entry(subject: str) -> str:
    """The text of a key, metric or ending; of all that have the name. Raises `UsageError` where none has it."""
    texts = [text for reference in ENTRIES if (text := reference.entry(subject))]
    if not texts:
        known = [*command_line.MODULES, *guide.topics(), *WHOLE,
                 *(name for reference in ENTRIES for name in reference.names())]
        raise UsageError(f"{shown(subject)} is no command, guide, key, metric or ending{nearest(subject, known)} "
                         "(lbd help lists commands and guides)")
    return "\n".join(texts)
