"""The configuration as JSON Schema (draft 2020-12), for editors that know it: taplo, Even Better TOML."""

from collections.abc import Mapping
from typing import Any

from lbd.config.catalog import Algorithms, Checks
from lbd.schema import REQUIRED, Config, HealthPolicy, Key, ServerConfig, keys
from lbd.schema import units as u

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(algorithms: Algorithms, checks: Checks) -> dict[str, Any]:
    """The schema of a whole file, with these algorithms and kinds of check.

    Every file that lbd reads without errors is valid by it. Rules between keys are not part of it.
    """
    writer = _SchemaWriter(algorithms, checks)
    return {"$schema": DIALECT, "title": "lbd", **writer.table(Config), "$defs": writer.defs}


class _SchemaWriter:
    """Writes the schema; `defs` are the tables that it refers to."""

    def __init__(self, algorithms: Algorithms, checks: Checks) -> None:
        self.algorithms = algorithms
        self.checks = checks
        self.defs: dict[str, Any] = {}

    def table(self, section: type, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The schema of a table with the keys of a class, and `more` besides."""
        known = keys(section)
        required = [name for name, (_, about) in known.items() if about.default is REQUIRED]
        return {
            "type": "object",
            "description": (section.__doc__ or "").split("\n")[0],
            "properties": {**{name: self._key(about) for name, (_, about) in known.items()}, **(more or {})},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }

    def _key(self, about: Key) -> dict[str, Any]:
        text = about.text
        if about.refused:
            return {"description": f"{text} (not yet: {about.refused})", "not": {}}
        described: dict[str, Any] = {"description": text + (" (no effect yet)" if about.later else "")}
        if about.default not in (None, REQUIRED) and about.kind is not None:
            described["default"] = about.default
        return {**described, **self._value(about)}

    def _value(self, about: Key) -> dict[str, Any]:
        if about.kind is u.ALGORITHM:
            return self._algorithm()
        if about.kind is u.HEALTH:
            return {"anyOf": [u.HEALTH.schema, self._reference(HealthPolicy)]}
        if about.kind is not None:
            return about.kind.schema
        section = about.section
        if section is None:
            return {}
        inner = self._reference(section)
        if section is ServerConfig:
            inner = {"anyOf": [u.ADDRESS.schema, inner]}
        if about.switch:
            inner = {"anyOf": [{"type": "boolean"}, inner]}
        if about.named:
            return {"type": "object", "propertyNames": u.NAME.schema, "additionalProperties": inner}
        return {"type": "array", "items": inner} if about.many else inner

    def _reference(self, section: type) -> dict[str, Any]:
        name = section.__name__.removesuffix("Config")
        if name not in self.defs:
            self.defs[name] = {}  # ends the recursion, should a table hold itself
            self.defs[name] = self._policy() if section is HealthPolicy else self.table(section)
        return {"$ref": f"#/$defs/{name}"}

    def _algorithm(self) -> dict[str, Any]:
        plugin = {"type": "string", "pattern": ":"}
        known = [self._plugged(traits.Options, "name", {"const": name}) for name, traits in self.algorithms.items()]
        return {"anyOf": [{"enum": [*self.algorithms]}, *known, plugin, self._plugged(None, "name", plugin)]}

    def _plugged(self, options: type | None, tag: str, written: dict[str, Any]) -> dict[str, Any]:
        if options is None:
            return {"type": "object", "properties": {tag: written}, "required": [tag], "additionalProperties": False}
        table = self.table(options, {tag: written})
        return {**table, "required": [tag, *table.get("required", [])]}

    def _policy(self) -> dict[str, Any]:
        """A form for each kind of check; the type may be left out for the default kind."""
        default = HealthPolicy().type
        forms = []
        for kind, traits in self.checks.items():
            own = self.table(traits.Options)
            form = self.table(HealthPolicy, {**own["properties"], "type": {"const": kind}})
            required = [*own.get("required", []), *(["type"] if kind != default else [])]
            forms.append({**form, **({"required": required} if required else {})})
        return {"anyOf": forms}
