"""Tables: makes instances of the schema of TOML tables, with types, unknown keys and defaults."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from lbd.config.catalog import Catalog
from lbd.config.findings import Findings
from lbd.config.places import Path
from lbd.schema import REQUIRED, AlgorithmConfig, Config, HealthPolicy, Key, ServerConfig, Timeouts, keys
from lbd.schema import units as u
from lbd.schema.kinds import ItemError, ValueKind
from lbd.wording import found, nearest, shown, type_of

_BAD = object()


class Tables:
    """Reads tables by the schema. Errors become findings, and a default or an empty value stands in."""

    def __init__(self, findings: Findings, catalog: Catalog) -> None:
        self.findings = findings
        self.catalog = catalog
        self.timeouts = Timeouts()
        self.policies: dict[str, HealthPolicy] = {}

    def config(self, data: Mapping[str, Any]) -> Config:
        """The configuration of the data of all files together."""
        values: dict[str, Any] = {}
        for name, (attribute, about) in keys(Config).items():
            if name not in data:
                continue
            values[attribute] = self._value(about, data[name], (name,))
            # Keys that are read later refer to these two.
            if name == "timeouts":
                self.timeouts = values[attribute]
            elif name == "health":
                self.policies = values[attribute]
        return Config(**{name: value for name, value in values.items() if value is not _BAD})

    def section(self, cls: type, value: Any, path: Path, base: Any = None, others: Iterable[str] | None = ()) -> Any:
        """An instance of `cls`. `base` gives the keys that are left out; `others` are keys that are read
        elsewhere (None: any)."""
        if not isinstance(value, dict):
            self._wrong(path, value, f"is {type_of(value)}", "a table")
            return base if base is not None else self._blank(cls)
        known = keys(cls)
        values: dict[str, Any] = {}
        for name, (attribute, about) in known.items():
            if name in value:
                values[attribute] = self._value(about, value[name], (*path, name))
            elif about.section is Timeouts:
                values[attribute] = self.timeouts
            elif about.kind is u.ALGORITHM:
                values[attribute] = self.algorithm(self.catalog.default_algorithm, path)
            if about.default is REQUIRED and values.get(attribute, _BAD) is _BAD:
                values[attribute] = about.kind.empty if about.kind else None
                if name not in value:
                    self._absent(path, name, about)
        if others is not None:
            self._unknown(value, path, [*known, *others])
        values = {name: item for name, item in values.items() if item is not _BAD}
        return cls(**values) if base is None else dataclasses.replace(base, **values)

    def _blank(self, cls: type) -> Any:
        required = {attribute: about.kind.empty for attribute, about in keys(cls).values()
                    if about.default is REQUIRED and about.kind}
        return cls(**required)

    def _absent(self, path: Path, name: str, about: Key) -> None:
        allowed = f", {about.kind.allowed}" if about.kind else ""
        self.findings.error(path, f'the key "{name}"{allowed}, is missing')

    def _unknown(self, value: Mapping[str, Any], path: Path, known: list[str]) -> None:
        for name in value:
            if name not in known:
                near = nearest(name, known) or f"; known here: {', '.join(known) or 'none'}"
                self.findings.error((*path, name), f"unknown key{near}")

    def _value(self, about: Key, value: Any, path: Path) -> Any:
        """The value of a key, or _BAD."""
        self._gate(about, path)
        if about.kind is u.ALGORITHM:
            return self.algorithm(value, path)
        if about.kind is u.HEALTH:
            return self._health(value, path)
        if about.kind is not None:
            return self._plain(about.kind, value, path)
        if about.section is None:
            return _BAD
        if about.switch and isinstance(value, bool):
            return self.section(about.section, {}, path) if value else None
        if about.named:
            return self._named(about.section, value, path)
        if about.many:
            return self._many(about.section, value, path)
        return self.section(about.section, value, path, self.timeouts if about.section is Timeouts else None)

    def _gate(self, about: Key, path: Path) -> None:
        """Report keys that this version cannot put into effect."""
        if about.refused:
            self.findings.error(path, f"cannot be given yet: {about.refused}")
        elif about.later:
            self.findings.warn(path, "has no effect yet")

    def _plain(self, kind: ValueKind, value: Any, path: Path) -> Any:
        try:
            result = kind.parse(value)
        except ItemError as error:
            for at, text in error.wrong:
                inner = (*path, at)
                self._wrong(inner if self.findings.given(inner) else path, value, text, kind.allowed)
            return _BAD
        except ValueError as error:
            self._wrong(path, value, str(error), kind.allowed, nearest(value, kind.known))
            return _BAD
        return kind.settle(result, self.findings.directory(path)) if kind.settle else result

    def _wrong(self, path: Path, value: Any, what: str, allowed: str, near: str = "") -> None:
        self.findings.error(path, f"{found(value, what)}; must be {allowed}{near}")

    def _named(self, cls: type, value: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            allowed = ('a table: NAME = "HOST:PORT" for each' if cls is ServerConfig
                       else "a table of tables, each under its name")
            self._wrong(path, value, f"is {type_of(value)}", allowed)
            return _BAD
        result = {}
        for name, item in value.items():
            here = (*path, name)
            try:
                u.NAME.parse(name)
            except ValueError as error:
                self._wrong(here, name, str(error), u.NAME.allowed)
            result[name] = self._entry(cls, item, here)
        return result

    def _entry(self, cls: type, value: Any, path: Path) -> Any:
        if cls is HealthPolicy:
            return self.policy(value, path)
        if cls is ServerConfig and isinstance(value, str):
            address = self._plain(u.ADDRESS, value, path)
            return ServerConfig(address=u.ADDRESS.empty if address is _BAD else address)
        if cls is ServerConfig and not isinstance(value, dict):
            self._wrong(path, value, f"is {type_of(value)}", "an address or a table")
            return self._blank(cls)
        return self.section(cls, value, path)

    def _many(self, cls: type, value: Any, path: Path) -> Any:
        if not isinstance(value, list):
            self._wrong(path, value, f"is {type_of(value)}", f"an array of tables: [[{'.'.join(map(str, path))}]]")
            return _BAD
        return tuple(self.section(cls, item, (*path, index)) for index, item in enumerate(value))

    def algorithm(self, value: Any, path: Path) -> AlgorithmConfig:
        """`algorithm`, as a name or as a table with the algorithm's own keys."""
        table = value if isinstance(value, dict) else {"name": value}
        inner = (*path, "name") if isinstance(value, dict) and "name" in value else path
        if "name" not in table:
            self.findings.error(path, 'the key "name" is missing')
            return AlgorithmConfig()
        name = self._plain(self.catalog.ALGORITHM_NAME, table["name"], inner)
        if name is _BAD:
            return AlgorithmConfig()
        if trouble := self.catalog.algorithm_trouble(name):
            self.findings.error(inner, trouble)
            return AlgorithmConfig(name)
        options = self.catalog.algorithm(name).Options
        if options is not None:
            return AlgorithmConfig(name, self.section(options, table, path, others=("name",)))
        for key in table.keys() - {"name"}:
            self.findings.error((*path, key), f"unknown key; {shown(name)} has no options")
        return AlgorithmConfig(name)

    def _health(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return self.policy(value, path)
        name = self._plain(u.HEALTH, value, path)
        if name is not _BAD and name not in self.policies:
            near = nearest(name, self.policies) or (
                f"; known: {', '.join(self.policies)}" if self.policies else "; there is none yet: [health.NAME]")
            self.findings.missing(path, f"{shown(name)} is no health policy{near}")
            return _BAD
        return self.policies.get(name, _BAD)

    def policy(self, value: Any, path: Path) -> HealthPolicy:
        """[health.NAME], or `health` in place: the common keys, and those of the kind of check."""
        if not isinstance(value, dict):
            return self.section(HealthPolicy, value, path)  # type: ignore[no-any-return]
        written = value.get("type", HealthPolicy().type)
        trouble = self.catalog.check_trouble(written) if isinstance(written, str) else "unreadable"
        if trouble:
            if isinstance(written, str):
                self.findings.error((*path, "type"), trouble)
                value = {name: item for name, item in value.items() if name != "type"}
            return self.section(HealthPolicy, value, path, others=None)  # type: ignore[no-any-return]
        options = self.catalog.checks[written].Options
        policy: HealthPolicy = self.section(HealthPolicy, value, path, others=keys(options))
        own = self.section(options, value, path, others=None)
        policy = self.catalog.overridden(dataclasses.replace(policy, options=own))
        if self.findings.given(path) and policy.timeout > policy.interval:
            at = (*path, "timeout")
            self.findings.warn(at if self.findings.given(at) else path,
                               f"the timeout of {u.in_seconds(policy.timeout)} is longer than the interval of "
                               f"{u.in_seconds(policy.interval)}: checks will follow one another late")
        return policy


