"""The guides of `lbd/guide/`, one a topic of `lbd help`: part of the package, so that every installation has them."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lbd import __file__ as package
from lbd.cli.reference import endings

DIRECTORY = Path(package).parent / "guide"
SUFFIX = ".md"

# A comment of this form in a guide stands for a table that is printed from the code.
PLACE = re.compile(r"^<!-- table: (\w+) -->\n", re.MULTILINE)
TABLES: Mapping[str, Callable[[], str]] = {"endings": endings.table}


def topics(directory: Path = DIRECTORY) -> dict[str, Path]:
    """The file of each topic, by name, in order."""
    return {path.stem: path for path in sorted(directory.glob(f"*{SUFFIX}"))}


def text(path: Path) -> str:
    """The Markdown of a guide, with the tables that it asks for."""
    return PLACE.sub(lambda place: TABLES[place[1]](), path.read_text("utf-8"))


def running(command: str, directory: Path = DIRECTORY) -> list[str]:
    """The topics of guides with an example that runs this command."""
    example = re.compile(rf"^(?:\$ |    )?lbd {re.escape(command)}(?![\w-])", re.MULTILINE)
    return [topic for topic, path in topics(directory).items() if example.search(path.read_text("utf-8"))]


def summary(path: Path) -> str:
    """The sentence that a guide opens with, as a line of a list: without its full stop, and in lower case."""
    sentence = " ".join(path.read_text("utf-8").split("\n\n", 2)[1].split()).removesuffix(".")
    return sentence[:1].lower() + sentence[1:]
