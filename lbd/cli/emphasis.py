"""Emphasis of help texts on a terminal: headings are bold, words to type are in colour (NO_COLOR: neither)."""

import os
import re
import shutil
import sys

BOLD, DIM, COLOUR, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
HEADING = re.compile(r"^(?:usage:|\S[^\n]*:$)", re.MULTILINE)
TERM = re.compile(r"^  (\S+(?: \S+)*)(?=  |$)", re.MULTILINE)    # the first column of a list
# The lines of a reference that name a table, a key, a metric with its labels, or an ending.
SUBJECT = re.compile(r"^(?:\[+[\w.]+\]+|(?:ending )?[\w.-]+(?:\{[\w,]*\})?(?: \([\w-]+\))?$)", re.MULTILINE)
COMMENT = re.compile(r"(?:^|(?<= ))# [^\n]*", re.MULTILINE)      # in TOML
LITTLE = 40      # columns that a text has at least, as narrow as the terminal may be


def on_terminal() -> bool:
    """Whether standard output is a terminal that can show colours."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def emphasised(text: str) -> str:
    """The text with its emphasis; unchanged where it is not for a terminal."""
    if not _coloured():
        return text
    text = TERM.sub(lambda term: f"  {COLOUR}{term[1]}{PLAIN}", text)
    return HEADING.sub(lambda heading: f"{BOLD}{heading[0]}{PLAIN}", text)


def of_reference(text: str) -> str:
    """The text of a reference: names of keys, metrics and endings are bold, comments dim; unchanged likewise."""
    if not _coloured():
        return text
    text = COMMENT.sub(lambda comment: f"{DIM}{comment[0]}{PLAIN}", text)
    return SUBJECT.sub(lambda subject: f"{BOLD}{subject[0]}{PLAIN}", text)


def _coloured() -> bool:
    return on_terminal() and not os.environ.get("NO_COLOR")


def width(most: int) -> int:
    """Columns for a text that has `most` of them where there is room."""
    return max(LITTLE, min(most, shutil.get_terminal_size((most, 0)).columns)) if on_terminal() else most
