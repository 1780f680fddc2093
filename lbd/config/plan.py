"""The plan: the changes that a reload would make, found by comparing two configurations by name."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from lbd.config.bodies import changed
from lbd.config.effective import masked, plain
from lbd.config.findings import dotted
from lbd.config.places import Path
from lbd.config.reference import written
from lbd.schema import (
    BackendConfig,
    Config,
    Key,
    ListenerConfig,
    Reload,
    RouteConfig,
    ServerConfig,
    Timeouts,
    keys,
)

UNSET = "not set"

# The classes of a change, the least first: a change of several keys has the class of its weightiest.
CLASSES: tuple[Reload, ...] = ("live", "add", "drain", "rebind", "restart")

# Kinds of objects, by the class of their table.
KINDS: Mapping[type, str] = {ListenerConfig: "listener", BackendConfig: "backend", ServerConfig: "server",
                             RouteConfig: "route"}

# The fate of the state that lbd keeps for an object, by its kind and the class of its change.
KEEPS: Mapping[tuple[str, Reload], str] = {
    ("server", "live"): "keeps its requests, connections, counters, latency and health",
    ("server", "drain"): "begins anew at the new address; what the old one has in flight is finished",
    ("backend", "live"): "its servers keep their requests, connections, counters, latency and health",
    ("backend", "drain"): "its other servers keep their requests, connections, counters, latency and health",
    ("policy", "live"): "its servers keep their health",
    ("listener", "live"): "keeps its sockets and connections",
    ("listener", "rebind"): "keeps the sockets of addresses that stay, and its connections",
    ("listener", "drain"): "keeps its sockets; its connections go on as they began",
}
GOES = "takes nothing new; what it has in flight is finished within drain_timeout"


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed key: its values as they stand in a file, and the class of its reload."""

    key: str
    old: str
    new: str
    reload: Reload


@dataclass(frozen=True, slots=True)
class Change:
    """An object that is added, removed, changed or moved.

    `kind` is listener, route, backend, server, policy or setting; `where` its place in the file. `requests` and
    `connections` are how many it concerns now, None where that is not known (without a daemon).
    """

    kind: str
    where: Path
    what: str
    reload: Reload
    edits: tuple[Edit, ...] = ()
    about: str = ""
    state: str = ""
    requests: int | None = None
    connections: int | None = None

    @property
    def path(self) -> str:
        """The place as TOML writes it."""
        return dotted(self.where)

    def __str__(self) -> str:
        edits = "; ".join(f"{edit.key}: {edit.old} -> {edit.new}" for edit in self.edits)
        return f"{self.path} {self.what} ({self.reload})" + (f": {edits or self.about}" if edits or self.about else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, in the order of the file."""

    changes: tuple[Change, ...]

    @property
    def restart(self) -> tuple[str, ...]:
        """The keys whose change takes effect only after a restart."""
        return tuple(f"{change.path}.{edit.key}" for change in self.changes for edit in change.edits
                     if edit.reload == "restart")

    def summary(self) -> str:
        """`1 server added, 2 routes changed`; "no changes" where there are none."""
        counts: dict[tuple[str, str], int] = {}
        for change in self.changes:
            counts[change.kind, change.what] = counts.get((change.kind, change.what), 0) + 1
        parts = [f"{count} {_plural(kind, count)} {what}" for (kind, what), count in counts.items()]
        return ", ".join(parts) or "no changes"

    def data(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {"summary": self.summary(), "restart": list(self.restart),
                "changes": [{"path": change.path, **dataclasses.asdict(change)} for change in self.changes]}


def compare(old: Config, new: Config) -> Plan:
    """The plan that leads from one configuration to the other."""
    return Plan(tuple(_Comparison(old, new).config()))


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else "policies" if kind == "policy" else kind + "s"


class _Comparison:
    def __init__(self, old: Config, new: Config) -> None:
        self.old = old
        self.new = new
        self.inherited = {(edit.key, edit.old, edit.new) for edit in self._edits(old.timeouts, new.timeouts)}

    def config(self) -> Iterator[Change]:
        """The tables of the file, one after the other."""
        for name, (attribute, about) in keys(Config).items():
            old, new = getattr(self.old, attribute), getattr(self.new, attribute)
            if about.named and about.section is not None:
                kind = KINDS.get(about.section, "policy")
                yield from self._named(kind, (name,), old, new)
            elif old == new or name == "include":   # its files count, not the patterns that name them
                continue
            elif about.section is not None:
                yield from self._changed("setting", (name,), old, new)
            else:
                yield Change("setting", (name,), "changed", about.reload,
                             (Edit(name, self._text(about, name, old, self.old), self._text(about, name, new, self.new),
                                   about.reload),))
        for status, before, after in changed(self.old.bodies, self.new.bodies):
            yield Change("setting", ("errors", status), "changed", "live", (Edit("content", before, after, "live"),))

    def _named(self, kind: str, path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        """Objects that have names."""
        for name in [*old, *(name for name in new if name not in old)]:
            here = (*path, name)
            if name not in new:
                reload: Reload = "live" if kind == "policy" else "drain"
                yield Change(kind, here, "removed", reload, about=_about(old[name]),
                             state="" if kind == "policy" else GOES)
            elif name not in old:
                yield Change(kind, here, "added", "add", about=_about(new[name]))
            elif old[name] != new[name]:
                yield from self._changed(kind, here, old[name], new[name])
                yield from self._inner(here, old[name], new[name])

    def _changed(self, kind: str, path: Path, old: Any, new: Any) -> Iterator[Change]:
        edits = tuple(self._edits(old, new))
        if edits:
            reload = max((edit.reload for edit in edits), key=CLASSES.index)
            yield Change(kind, path, "changed", reload, edits, state=KEEPS.get((kind, reload), ""))

    def _inner(self, path: Path, old: Any, new: Any) -> Iterator[Change]:
        """The objects within an object."""
        if isinstance(new, BackendConfig):
            yield from self._named("server", (*path, "servers"), old.servers, new.servers)
        elif isinstance(new, ListenerConfig) and old.routes != new.routes:
            yield from self._routes((*path, "routes"), old.routes, new.routes)

    def _edits(self, old: Any, new: Any, prefix: str = "") -> Iterator[Edit]:
        """The changed keys of a table."""
        cls: type = type(new)
        for name, (attribute, about) in keys(cls).items():
            before, after = getattr(old, attribute), getattr(new, attribute)
            if before == after or about.many or (about.named and about.section in KINDS):
                continue
            key = prefix + name
            if about.section is not None and before is not None and after is not None:
                found = self._edits(before, after, f"{key}.")
                if about.section is Timeouts:
                    found = (edit for edit in found
                             if (edit.key.removeprefix(f"{key}."), edit.old, edit.new) not in self.inherited)
                yield from found
                continue
            texts = self._text(about, name, before, self.old), self._text(about, name, after, self.new)
            if texts[0] != texts[1] or texts[0] == written("(hidden)"):
                yield Edit(key, *texts, about.reload)
        own = getattr(old, "options", None), getattr(new, "options", None)
        if own[0] is not None and type(own[0]) is type(own[1]):
            yield from self._edits(*own, prefix)

    def _routes(self, path: Path, old: Sequence[RouteConfig], new: Sequence[RouteConfig]) -> Iterator[Change]:
        """Changes of routes, which have no names: equal ones in the same order stay."""
        before, after = ([repr(route) for route in routes] for routes in (old, new))
        for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if what == "equal":
                continue
            same = min(b - a, d - c)
            for offset in range(same):
                yield from self._changed("route", (*path, c + offset), old[a + offset], new[c + offset])
            for at in range(a + same, b):
                state = "; it moves" if old[at] in new else ""
                yield Change("route", (*path, at), "removed", "live", about=_about(old[at]) + state)
            for at in range(c + same, d):
                yield Change("route", (*path, at), "added", "live", about=_about(new[at]))

    def _text(self, about: Key, name: str, value: Any, config: Config) -> str:
        data = masked(name, plain(about, value, config))
        return UNSET if data is None else written(data)


def _about(value: Any) -> str:
    """An object in a few words."""
    if isinstance(value, ServerConfig):
        return str(value.address)
    if isinstance(value, ListenerConfig):
        return ", ".join(map(str, value.bind))
    if isinstance(value, BackendConfig):
        count = len(value.servers)
        return f"{count} server{'s' * (count != 1)}, {value.algorithm.name}"
    if not isinstance(value, RouteConfig):
        return str(getattr(value, "type", ""))
    parts = [f"{name} {written(_condition(getattr(value, name)))}"
             for name in ("sni", "alpn", "host", "path", "path_prefix", "path_regex", "method", "header")
             if getattr(value, name)]
    return ", ".join([*parts, f"-> {value.backend}" if value.backend else "-> an answer of lbd's own"])


def _condition(value: Any) -> Any:
    return masked("", dict(value)) if isinstance(value, Mapping) else value
