"""Lines of the table of keys, of which the classes of the schema are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal

from lbd.schema.kinds import ValueKind

Reload = Literal["live", "add", "drain", "rebind", "restart"]
LIVE: Reload = "live"
REBIND: Reload = "rebind"
RESTART: Reload = "restart"

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Key:
    """The line of a key in the table.

    `default` is written as in TOML (`REQUIRED`: the key must be given). `later` marks keys that are read in full but
    have no effect yet; `refused` says why a key cannot be given yet at all.
    """

    kind: ValueKind | None
    default: Any
    text: str
    reload: Reload = LIVE
    section: type | None = None  # the class of a table of its own, or of each entry of a named table
    named: bool = False          # a table of tables, keyed by name
    many: bool = False           # an array of tables
    optional: bool = False       # a table that may be left out: then None
    later: bool = False
    refused: str = ""
    name: str = ""               # as written, where it is a Python keyword
    switch: bool = False         # `true` stands for an optional table with its defaults, `false` for none
    example: Any = None          # shown by the reference where there is no default, as written in TOML


def key(default: Any, kind: ValueKind, text: str, reload: Reload = LIVE, **more: Any) -> Any:
    """A plain value. The default is written as in TOML and parsed by the kind itself."""
    about = Key(kind, default, text, reload, **more)
    if default is REQUIRED:
        return field(metadata={"key": about})
    value = None if default is None else kind.parse(default)
    return field(default_factory=lambda: value, metadata={"key": about})


def table(section: type, text: str, **more: Any) -> Any:
    """A table that is always there, each of its keys with its default."""
    return field(default_factory=section, metadata={"key": Key(None, None, text, section=section, **more)})


def optional(section: type, text: str, **more: Any) -> Any:
    """A table that may be left out: then None."""
    return field(default=None, metadata={"key": Key(None, None, text, section=section, optional=True, **more)})


def named(section: type, text: str, **more: Any) -> Any:
    """A table of tables keyed by name."""
    return field(default_factory=dict, metadata={"key": Key(None, None, text, section=section, named=True, **more)})


@cache
def keys(section: type) -> Mapping[str, tuple[str, Key]]:
    """The keys of a table as they are written, each with the attribute that holds it and its line."""
    return {about.name or item.name: (item.name, about)
            for item in fields(section) if (about := item.metadata.get("key")) is not None}
