"""A file of a configuration, parsed: its TOML data, and the place of every key."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from lbd.config import files
from lbd.config.places import Path, Place, locate

INPUT, INPUT_NAME = "-", "<stdin>"   # standard input, as a file of the command line and in findings
LARGEST = 8 * 2**20  # bytes; a thousand servers need about 0.1 MiB

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_ASSIGNED = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")
_KEYS = re.compile(r"'((?:[^'\\]|\\.)*)'")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that could be read: its data, and where each key stands."""

    file: str
    data: dict[str, Any]
    places: dict[Path, Place]


class DocumentError(Exception):
    """A file that cannot be used at all; line and column 0 mean the file as a whole."""

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        self.line = line
        self.column = column
        super().__init__(text)


def load(file: str) -> Document:
    """Read one file; raises DocumentError."""
    return parse(file, fetch(file))


def load_input() -> Document:
    """Read standard input to its end, which can be done once; raises DocumentError."""
    try:
        with open(0, "rb", closefd=False) as file:
            return parse(INPUT_NAME, files.bounded(file, LARGEST))
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None


def parse(file: str, content: bytes) -> Document:
    """The document that these bytes of the file are; raises DocumentError."""
    text = decode(content)
    try:
        return Document(file, tomllib.loads(text), locate(text))
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text) from None
    except RecursionError:
        raise DocumentError("not usable: arrays or tables are nested too deeply") from None
    except ValueError as error:  # a number of more digits than Python takes
        raise DocumentError(f"not usable: {error}") from None


def fetch(file: str) -> bytes:
    """The bytes of a regular file of at most 8 MiB; raises DocumentError."""
    try:
        return files.fetch(file, LARGEST)
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise DocumentError("cannot be read: its name contains a NUL character") from None


def decode(content: bytes) -> str:
    """The text of a file, lines ending in a line feed; raises DocumentError."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[:error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1:].decode()) + 1
        text = f"not UTF-8: the byte 0x{content[error.start]:02x} cannot stand here"
        raise DocumentError(text, line, column) from None
    if text.startswith("\ufeff"):
        raise DocumentError("begins with a byte order mark; save the file without it", 1, 1)
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise DocumentError("contains a NUL character; is this a text file?", line, nul - text.rfind("\n", 0, nul))
    return text.replace("\r\n", "\n")


# Messages of tomllib, and the text that an operator gets instead.
_CLEARER = (
    (re.compile(r"Invalid value"), "a value was expected; strings need quotes, and true and false lower case"),
    (re.compile(r"Invalid statement"), "a key or a table header was expected"),
    (re.compile(r"Invalid initial character for a key part"),
     "a key was expected; other characters than A-Z a-z 0-9 _ - need quotes"),
    (re.compile(r"Expected newline or end of document after a statement"),
     "the line goes on after the value; is a quote or a line break missing?"),
    (re.compile(r"Illegal character '\\n'"), "a string ends with its line; is a quote missing?"),
    (re.compile(r"Expected \"'|Unterminated string|Expected '\"\"\"'"), "a string is not closed"),
    (re.compile(r"Cannot overwrite a value"), "the key is given twice"),
    (re.compile(r"Duplicate inline table key (.*)"), "a key is given twice in a table"),
    (re.compile(r"Cannot (?:declare|mutate|redefine|define)\D.*twice|Cannot declare .*"), "the table is there already"),
)


def _syntax(message: str, text: str) -> DocumentError:
    """tomllib's error with its place; "end of document" is the last line."""
    found = _AT.search(message)
    what = message[:found.start()] if found else message
    for pattern, clearer in _CLEARER:
        if pattern.match(what):
            names = ".".join(_KEYS.findall(what))
            what = clearer.replace("the table", f"the table [{names}]") if names and "table is" in clearer else clearer
            break
    else:
        what = what[:1].lower() + what[1:]
    lines = text.rstrip("\n").split("\n")
    if found and found[1]:
        line, column = int(found[1]), int(found[2])
        key = _ASSIGNED.match(lines[line - 1]) if what.startswith("the key is") and line <= len(lines) else None
        if key:      # tomllib names the end of the value
            what, column = what.replace("the key", f"the key {key[1]}"), key.start(1) + 1
        return DocumentError(f"not valid TOML: {what}", line, column)
    return DocumentError(f"not valid TOML: the file ends too early: {what}", len(lines), len(lines[-1]) + 1)
