"""The files of a configuration: their includes followed, and their tables merged into one set."""

import glob
import os
from collections.abc import Collection, Mapping
from typing import Any

from lbd.config.document import INPUT, INPUT_NAME, Document, DocumentError, load, load_input
from lbd.config.findings import Findings, Where, dotted
from lbd.config.places import Path
from lbd.errors import Problem
from lbd.schema import Config, keys
from lbd.schema.kinds import many
from lbd.schema.units import LINE
from lbd.wording import found, nearest, shown, type_of

MOST_FILES = 10_000
DEEPEST = 16  # files that include one another

_PATTERNS = many(LINE, 'paths, or patterns like "lbd.d/*.toml"')


class ConfigSources:
    """Reads a file (`-`: standard input) and what it includes; problems go to `findings`, as do the places of all keys.

    `data` is the data of all files together, `include` the first file's own; `files` are the absolute paths of the
    files, and the patterns of `include`; `documents` are all files by absolute path. Where `lenient` (the first file
    has `include_mode = "last-good"`), an included file that cannot be parsed is replaced by its version in `good`, as
    are those named in `replaced`; `refused` are the reasons.
    """

    def __init__(self, file: str, findings: Findings, good: Mapping[str, Document] | None = None,
                 replaced: Collection[str] = ()) -> None:
        self.findings = findings
        self.lenient = False
        self.documents: dict[str, Document] = {}
        self.refused: list[Problem] = []
        self._good = good or {}
        self._replaced = replaced
        self.data: dict[str, Any] = {}
        self.include: tuple[str, ...] = ()
        self.files: list[str] = []
        self._seen: set[str] = set()
        self._input = file == INPUT
        self._read(INPUT_NAME if self._input else file, (), None)

    def _read(self, file: str, within: tuple[str, ...], named: tuple[Where, int] | None) -> None:
        """Read one file. `within` are the files that include it, `named` the key that does so without a pattern."""
        absolute = os.path.abspath(file)
        if absolute not in self.files:
            self.files.append(absolute)
        real = os.path.realpath(file)
        self._seen.add(real)
        if file not in self.findings.files:
            self.findings.files.append(file)
        try:
            if self._input and not within:
                document = load_input()
            else:
                document = self._good[absolute] if absolute in self._replaced else load(file)
        except DocumentError as error:
            if self.lenient and absolute in self._good:
                self.refused.append(Problem(file, error.line, error.column, "", str(error)))
                self._add(self._good[absolute], absolute, (*within, real))
                return
            self.findings.complete = False
            if named and not error.line:
                where, index = named
                self.findings.add(where, ("include", index), f"{shown(file)} {error}")
            else:
                self.findings.add((file, error.line, error.column), (), str(error))
            return
        if not within:
            settings = document.data.get("global")
            self.lenient = isinstance(settings, dict) and settings.get("include_mode") == "last-good"
        self._add(document, absolute, (*within, real))

    def _add(self, document: Document, absolute: str, within: tuple[str, ...]) -> None:
        self.documents[absolute] = document
        self._merge(document)
        self._include(document, within)

    def _include(self, document: Document, within: tuple[str, ...]) -> None:
        """Read the included files of a document: patterns are relative to its directory, files in order of names."""
        if "include" not in document.data:
            return
        place = document.places["include",]
        where = (document.file, place.line, place.column)
        try:
            patterns = _PATTERNS.parse(document.data["include"])
        except ValueError as error:
            what = found(document.data["include"], str(error))
            self.findings.add(where, ("include",), f"{what}; must be {_PATTERNS.allowed}")
            return
        if len(within) == 1:
            self.include = patterns
        for index, pattern in enumerate(patterns):
            inner = document.places.get(("include", index), place)
            there = (document.file, inner.line, inner.column)
            full = os.path.join(os.path.dirname(document.file), pattern)
            if not glob.has_magic(pattern):
                self._included(full, within, there, index, True)
                continue
            self.files.append(os.path.abspath(full))
            for file in sorted(glob.glob(full, recursive=True)):
                self._included(file, within, there, index, False)

    def _included(self, file: str, within: tuple[str, ...], where: Where, index: int, named: bool) -> None:
        real = os.path.realpath(file)
        if real in within:
            if named or real != within[-1]:  # a pattern may well match the file that it stands in
                self.findings.add(where, ("include", index), f"{shown(file)} includes itself in the end")
        elif real in self._seen:
            return
        elif len(within) >= DEEPEST:
            self.findings.add(where, ("include", index), f"{shown(file)} is included more than {DEEPEST} files deep")
        elif len(self._seen) >= MOST_FILES:
            self.findings.add(where, ("include", index), f"more than {MOST_FILES} files are included")
        else:
            self._read(file, within, (where, index) if named else None)

    def _merge(self, document: Document) -> None:
        """Add a document's tables to those of the others: no two files may give the same name or key of a table."""
        known = keys(Config)
        twice: set[Path] = set()
        for name, value in document.data.items():
            place = document.places[name,]
            where = (document.file, place.line, place.column)
            if name == "include":
                continue
            if name not in known:
                near = nearest(name, known) or f"; known here: {', '.join(known)}"
                self.findings.add(where, (name,), f"unknown key{near}")
                twice.add((name,))
            elif not isinstance(value, dict):
                self.findings.add(where, (name,), f"{found(value, f'is {type_of(value)}')}; must be a table")
            else:
                target = self.data.setdefault(name, {})
                for inner, item in value.items():
                    if inner in target:
                        twice.add((name, inner))
                        self._refuse(document, name, inner)
                    else:
                        target[inner] = item
        for path, place in document.places.items():
            if path[:2] not in twice and path[:1] not in twice and path not in self.findings.places:
                self.findings.places[path] = (document.file, place.line, place.column)

    def _refuse(self, document: Document, table: str, name: str) -> None:
        file, line, column = self.findings.places[table, name]
        place = document.places[table, name]
        self.findings.add((document.file, place.line, place.column), (table, name),
                          f"{dotted((table, name))} is given already at {file}:{line}:{column}; leave out one of them")
