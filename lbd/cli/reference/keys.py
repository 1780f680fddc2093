"""Keys of the configuration as `lbd help` shows them: the whole reference, or one key by its name or path."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from lbd.balance import ALGORITHMS
from lbd.config.catalog import Algorithms, Checks
from lbd.config.reference import RELOADS, example, toml_reference, written
from lbd.health import CHECKS
from lbd.schema import REQUIRED, Config, HealthPolicy, Key, keys
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind

NAME = "NAME"      # stands in a path for a name that the operator chooses


class KeyEntry(NamedTuple):
    """A key: its path, its line in the table of keys, and the algorithm or check that it belongs to ("": none)."""

    path: tuple[str, ...]
    about: Key
    owner: str = ""


def names() -> list[str]:
    """Every key, without the tables that it stands in."""
    return sorted({entry.path[-1] for entry in entries()})


def table() -> str:
    """The whole reference, as `lbd schema` prints it."""
    return toml_reference(ALGORITHMS, CHECKS)


@cache
def entries() -> tuple[KeyEntry, ...]:
    """All keys and tables of the schema, those of algorithms and checks too."""
    return tuple(_within(Config, ()))


def _within(section: type, path: tuple[str, ...]) -> Iterator[KeyEntry]:
    for name, (_, about) in keys(section).items():
        here = (*path, name)
        yield KeyEntry(here, about)
        if about.section is not None:
            yield from _within(about.section, (*here, NAME) if about.named else here)
        if about.kind is u.ALGORITHM:
            yield from _owned(ALGORITHMS, here)
    if section is HealthPolicy:
        yield from _owned(CHECKS, path)


def _owned(owners: Algorithms | Checks, path: tuple[str, ...]) -> Iterator[KeyEntry]:
    for owner, traits in owners.items():
        for name, (_, about) in (keys(traits.Options) if traits.Options is not None else {}).items():
            yield KeyEntry((*path, name), about, owner)


def entry(subject: str) -> str:
    """The texts of all keys of that name or path, "" where there is none.

    A path may begin at any table, and have any name for `NAME`: `max_conns`, `servers.a.max_conns` and
    `backends.app.servers.a.max_conns` are one key.
    """
    parts = tuple(subject.split("."))
    return "\n".join(map(_text, _shared(found for found in entries() if _fits(parts, found.path))))


def _fits(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether the path ends like the parts, of which names of the operator's choice may be left out."""
    if not parts or not path:
        return not parts
    if path[-1] == NAME:
        return _fits(parts[:-1], path[:-1]) or _fits(parts, path[:-1])
    return parts[-1] == path[-1] and _fits(parts[:-1], path[:-1])


def _shared(found: Iterator[KeyEntry]) -> list[list[KeyEntry]]:
    """Entries with the same line in the table of keys are told of once, with all their places."""
    groups: list[list[KeyEntry]] = []
    for item in found:
        same = next((group for group in groups if group[0].about == item.about), None)
        if same is None:
            groups.append([item])
        else:
            same.append(item)
    return groups


def _text(places: list[KeyEntry]) -> str:
    about = places[0].about
    lines = [".".join(item.path) + (f" ({item.owner})" if item.owner else "") for item in places]
    lines.append(f"    {about.text}" if about.text else "")
    if about.kind is not None:
        lines += [f"    must be {about.kind.allowed}", f"    {_default(about, about.kind)}"]
    elif about.named:
        lines.append("    tables by a name of your choice")
    else:
        form = "an array of tables" if about.many else "a table, or true" if about.switch else "a table"
        lines.append(f"    {form}")
    if about.refused:
        lines.append(f"    not yet: {about.refused}")
    else:
        lines.append(f"    {RELOADS.get(about.reload, '').strip(' ()') or 'a change is in force with the next reload'}")
    return "\n".join(filter(None, lines)) + "\n"


def _default(about: Key, kind: ValueKind) -> str:
    sample: Any = example(about)
    if about.default is REQUIRED:
        return f"must be given, like {written(sample)}"
    if about.default is None:
        return f"no default; an example: {written(sample)}" if kind.schema else "no default"
    return f"default: {written(about.default)}"
