"""The reference: every key with its default, one comment each, as a TOML file that can be read."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from lbd.config.catalog import Algorithms, Checks
from lbd.schema import (
    REQUIRED,
    BackendConfig,
    Config,
    HealthPolicy,
    Key,
    ListenerConfig,
    Reload,
    ServerConfig,
    Timeouts,
    keys,
)
from lbd.schema import units as u

COMMENTS = 41  # column of the comments
WIDTH = 110    # of text that goes over several lines

HEAD = """\
# Every key of lbd's configuration with its default; a key without a default stands in a comment.
# `lbd schema` prints this file, `lbd check -c FILE` says what is wrong with another.
# Durations have a unit (ms s m h d), sizes too (B kB MB GB KiB MiB GiB).
"""

# Effects of a reload on changes that are not simply in force from then on.
RELOADS: Mapping[Reload, str] = {
    "restart": " (a change needs a restart)",
    "rebind": " (a change opens other sockets)",
    "drain": " (a change drains the old one)",
}

# Names of the examples, by the class of the table that they name.
NAMES: Mapping[type, str] = {ListenerConfig: "web", BackendConfig: "app", ServerConfig: "b"}

# Keys without a default that must be given for the file to be one that can be read.
GIVEN = {("listeners", "web", "backend"), ("listeners", "web", "routes", "backend")}

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_reference(algorithms: Algorithms, checks: Checks) -> str:
    """The whole reference, with these algorithms and kinds of check."""
    return HEAD + "\n" + "\n".join(_ReferenceWriter(algorithms, checks).config()) + "\n"


def written(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_name(name)} = {written(item)}" for name, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def example(about: Key) -> Any:
    """A value for a key without a default."""
    if about.example is not None or about.kind is None:
        return about.example
    schema = about.kind.schema
    return schema.get("minimum", schema.get("enum", ["…"])[0])


class _ReferenceWriter:
    def __init__(self, algorithms: Algorithms, checks: Checks) -> None:
        self.algorithms = algorithms
        self.checks = checks

    def config(self) -> Iterator[str]:
        """All lines."""
        tables = keys(Config)
        for name, (_, about) in tables.items():
            if about.kind is not None and not isinstance(about.default, Mapping):
                yield self._line(name, about, ("include",))
        for name, (_, about) in tables.items():
            if about.kind is None:
                yield from self._table(about, (name,), False)
            elif isinstance(about.default, Mapping):
                yield from self._mapping(about, (name,))

    def _line(self, name: str, about: Key, path: tuple[str, ...], off: bool = False) -> str:
        """`key = value    # text`; a comment as a whole where there is no default."""
        lacking = about.default is REQUIRED or about.default is None
        value = example(about) if lacking else about.default
        if (about.default is None and path not in GIVEN) or about.refused:
            off = True
        text = about.text + RELOADS.get(about.reload, "")
        if about.refused:
            text += "; not yet: " + about.refused
        elif about.later:
            text += "; no effect yet"
        return f"{'# ' if off else ''}{_name(name)} = {written(value)}".ljust(COMMENTS - 1) + f" # {text}"

    def _mapping(self, about: Key, path: tuple[str, ...]) -> Iterator[str]:
        """A top-level table of free keys."""
        yield from ("", f"[{'.'.join(path)}]".ljust(COMMENTS - 1) + f" # {about.text}")
        for name, value in (about.example or {}).items():
            yield f"# {_name(name)} = {written(value)}"

    def _table(self, about: Key, path: tuple[str, ...], off: bool) -> Iterator[str]:
        """The tables that one key stands for."""
        section = about.section
        if section is HealthPolicy:
            yield from self._policies(path)
        elif section is Timeouts and path != ("timeouts",):
            yield from self._header(path, f"any key of [timeouts], {about.text}", True)
        elif section is ServerConfig:
            yield from self._header(path, about.text, off)
            yield "a = \"127.0.0.1:9001\"".ljust(COMMENTS - 1) + " # short for { address = … }"
            yield from self._section(section, (*path, NAMES[ServerConfig]), "the long form", off)
        elif section is not None and about.named:
            yield from self._section(section, (*path, NAMES[section]), about.text, off)
        elif section is not None:
            note = f"; not yet: {about.refused}" if about.refused else "; no effect yet" if about.later else ""
            yield from self._section(section, path, about.text + note, off or about.optional, about.many)

    def _header(self, path: tuple[str, ...], text: str, off: bool, many: bool = False) -> Iterator[str]:
        name = ".".join(path)
        header = f"[[{name}]]" if many else f"[{name}]"
        yield ""
        yield f"{'# ' if off else ''}{header}".ljust(COMMENTS - 1) + f" # {text}"

    def _section(self, section: type, path: tuple[str, ...], text: str, off: bool, many: bool = False) -> Iterator[str]:
        """A table: first its plain keys, then the tables in it."""
        yield from self._header(path, text, off, many)
        tables = []
        for name, (_, about) in keys(section).items():
            if about.kind is None:
                tables.append((name, about))
                continue
            yield self._line(name, about, (*path, name), off)
            if section is BackendConfig and about.kind is u.ALGORITHM:
                yield from self._algorithms()
        for name, about in tables:
            yield from self._table(about, (*path, name), off)

    def _algorithms(self) -> Iterator[str]:
        """The algorithms there are, and their own keys, as comments."""
        text = f'one of {", ".join(self.algorithms)}, or "package.module:Class", your own'
        yield from textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        for name, traits in self.algorithms.items():
            own = keys(traits.Options) if traits.Options is not None else {}
            if not own:
                continue
            values = {key: example(about) if about.default in (None, REQUIRED) else about.default
                      for key, (_, about) in own.items()}
            yield f"# algorithm = {written({'name': name, **values})}"
            for key, (_, about) in own.items():
                yield f"#   {key}: {about.text}"

    def _policies(self, path: tuple[str, ...]) -> Iterator[str]:
        """A policy for each kind of check: the first with the common keys, all with their own."""
        for number, (kind, traits) in enumerate(self.checks.items()):
            text = "a health policy, under any name" if not number else "one of another type; it has the keys above too"
            yield from self._header((*path, kind), text, False)
            for name, (_, about) in keys(HealthPolicy).items():
                if name == "type":
                    yield f"type = {written(kind)}".ljust(COMMENTS - 1) + f" # {about.text}"
                elif not number:
                    yield self._line(name, about, (*path, kind, name))
            for name, (_, about) in keys(traits.Options).items():
                yield self._line(name, about, (*path, kind, name))
