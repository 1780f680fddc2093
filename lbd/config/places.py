"""Places of the keys in a TOML text, which tomllib does not give (TOML 1.0, toml.io/en/v1.0.0)."""

import bisect
import re
import tomllib
from typing import NamedTuple

Path = tuple[str | int, ...]

DEEPEST = 64  # parts of a key path that get a place; a text can nest deeper, but no configuration does


class Place(NamedTuple):
    """The beginning of a key and of its value; lines and columns count from 1, columns in characters.

    The value of a table header is the header's own last key; an element of an array is its own key.
    """

    line: int
    column: int
    value_line: int
    value_column: int


_VOID = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_SCALAR = re.compile(r"[^,\]}#\n]*")  # a number, a date (which may hold a space), true or false
_LONG_BASIC_END = re.compile(r'\\.|"{3,5}', re.DOTALL)
_LONG_LITERAL_END = re.compile(r"'{3,5}")


def locate(text: str) -> dict[Path, Place]:
    """The place of every key path in a text that tomllib accepts; elements of arrays have their index in the path.

    The place of a table that several headers or dotted keys name is the first of them. Raises RecursionError where
    arrays nest too deeply.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """Scans the text once. It trusts the syntax, since tomllib has read the text before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self.places: dict[Path, Place] = {}
        self.last: dict[Path, int] = {}  # index of the newest element of each array of tables

    def scan(self) -> dict[Path, Place]:
        """Go through all lines."""
        table: Path = ()
        self._skip(_VOID)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_VOID)
        return self.places

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _position(self, at: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.lines, at)
        return line, at - self.lines[line - 1] + 1

    def _note(self, path: Path, key: int, value: int) -> None:
        if len(path) <= DEEPEST and path not in self.places:
            self.places[path] = Place(*self._position(key), *self._position(value))

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the path of the table that follows."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self._key()
        self.at += 2 if array else 1
        path: Path = ()
        for position, (name, at) in enumerate(keys):
            path = (*path, name) if len(path) < DEEPEST else path
            self._note(path, at, at)
            newest = array and position == len(keys) - 1
            if newest:
                self.last[path] = self.last.get(path, -1) + 1
            if path in self.last:
                path = (*path, self.last[path])
                self._note(path, at, at)
        return path

    def _key(self) -> list[tuple[str, int]]:
        """A dotted key: its parts, and where each begins."""
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append((self._part(), self.at))
            self._skip(_BARE if self.text[self.at] not in "\"'" else _BASIC if self.text[self.at] == '"' else _LITERAL)
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _part(self) -> str:
        quote = self.text[self.at]
        found = (_BASIC if quote == '"' else _LITERAL if quote == "'" else _BARE).match(self.text, self.at)
        written = found[0] if found else ""
        if "\\" in written and quote == '"':
            return str(tomllib.loads(f"x = {written}")["x"])
        return written[1:-1] if quote in "\"'" else written

    def _pair(self, table: Path) -> None:
        """`a.b = value`."""
        path, at = table, self.at
        keys = self._key()
        self.at += 1
        self._skip(_SPACE)
        for position, (name, at) in enumerate(keys):
            path = (*path, name) if len(path) < DEEPEST else path
            self._note(path, at, self.at if position == len(keys) - 1 else at)
        self._value(path)

    def _value(self, path: Path) -> None:
        """Go over one value; tables and arrays in it get their places."""
        text, at = self.text, self.at
        if text[at] == "[":
            self._array(path)
        elif text[at] == "{":
            self._inline(path)
        elif text.startswith('"""', at):
            self._long(_LONG_BASIC_END)
        elif text.startswith("'''", at):
            self._long(_LONG_LITERAL_END)
        else:
            self._skip(_BASIC if text[at] == '"' else _LITERAL if text[at] == "'" else _SCALAR)

    def _long(self, end: re.Pattern[str]) -> None:
        """A multi-line string: up to two quotes may stand directly before the closing ones."""
        for found in end.finditer(self.text, self.at + 3):
            if found[0][0] != "\\":
                self.at = found.end()
                return

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_VOID)
            if self.text[self.at] == ",":
                self.at += 1
            elif self.text[self.at] == "]":
                self.at += 1
                return
            else:
                element = (*path, index) if len(path) < DEEPEST else path
                self._note(element, self.at, self.at)
                self._value(element)
                index += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
            elif self.text[self.at] == "}":
                self.at += 1
                return
            else:
                self._pair(path)
