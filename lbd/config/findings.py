"""Findings of the reader of a configuration: errors and warnings, each with the place of its key."""

import os
import re
from collections.abc import Sequence

from lbd.config.places import Path
from lbd.errors import ConfigError, Problem

Where = tuple[str, int, int]  # file, line, column; line and column 0: the file as a whole

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Path) -> str:
    """A key path as TOML writes it, elements of arrays in brackets, counted from 0."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            written = part if _BARE.fullmatch(part) else '"' + part.encode("unicode_escape").decode() + '"'
            text += f".{written}" if text else written
    return text


class Findings:
    """Collects problems. `places` says where each key path of all files together stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.files: list[str] = [file]
        self.places: dict[Path, Where] = {}
        self.problems: list[Problem] = []
        self.complete = True  # every file could be read
        self._broken: set[Path] = set()

    def error(self, path: Path, message: str) -> None:
        """Add an error, with which the configuration cannot be used."""
        self._broken.add(path)
        self._add(path, message, False)

    def missing(self, path: Path, message: str) -> None:
        """Add an error about a missing key, unless it may stand in a file that could not be read."""
        self._broken.add(path)
        if self.complete:
            self._add(path, message, False)

    def warn(self, path: Path, message: str) -> None:
        """Add a warning."""
        self._add(path, message, True)

    def add(self, where: Where, path: Path, message: str) -> None:
        """Add an error at a place other than that of its key path."""
        self._broken.add(path)
        self.problems.append(Problem(*where, dotted(path), message))

    def _add(self, path: Path, message: str, warning: bool) -> None:
        self.problems.append(Problem(*self.where(path), dotted(path), message, warning))

    def where(self, path: Path) -> Where:
        """The place of a key path: its own, or that of the nearest table around it."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.file, 0, 0

    def given(self, path: Path) -> bool:
        """Whether the files give this key path."""
        return path in self.places

    def sound(self, path: Path) -> bool:
        """Whether no error was found at exactly this key path."""
        return path not in self._broken

    def untouched(self, path: Path) -> bool:
        """Whether no error was found at this key path, nor anywhere within."""
        return not any(broken[:len(path)] == path for broken in self._broken)

    def directory(self, path: Path) -> str:
        """The directory of the file in which the key path stands, absolute: relative paths begin there."""
        return os.path.dirname(os.path.abspath(self.where(path)[0]))

    def settle(self, files: Sequence[str]) -> list[Problem]:
        """The warnings, in the order of the files; raises ConfigError if there are errors."""
        order = {file: at for at, file in enumerate(self.files)}
        found = sorted(self.problems, key=lambda item: (order.get(item.file, 0), item.line, item.column))
        warnings = [problem for problem in found if problem.warning]
        errors = [problem for problem in found if not problem.warning]
        if errors:
            raise ConfigError(errors, warnings, files)
        return warnings
