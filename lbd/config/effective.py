"""The effective configuration: instances of the schema as tables that may be written to a file and read again."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lbd.schema import REQUIRED, AlgorithmConfig, Config, HealthPolicy, Key, Timeouts, keys
from lbd.schema import units as u
from lbd.schema.addresses import Address

HIDDEN = "(hidden)"
_SECRET = ("token", "password", "secret", "authorization", "set-cookie")


def tables(config: Config) -> dict[str, Any]:
    """The whole configuration as the data of one file, without default values. Reading it gives the same again,
    except `include`, whose files are merged already."""
    return {name: value for name, value in section(config, config).items() if name != "include"}


def section(value: Any, config: Config) -> dict[str, Any]:
    """The keys of a table whose values are not the default."""
    found: dict[str, Any] = {}
    cls: type = type(value)
    for name, (attribute, about) in keys(cls).items():
        item = getattr(value, attribute)
        if about.section is Timeouts and value is not config:
            # Left out, they are those of [timeouts], not those of the schema.
            if item != config.timeouts:
                found[name] = _differing(item, config.timeouts)
        elif about.kind is u.ALGORITHM or _given(cls, attribute, about, item):
            found[name] = plain(about, item, config)
    if isinstance(value, HealthPolicy) and value.options is not None:
        found |= section(value.options, config)
        found["type"] = value.type
    return found


def plain(about: Key, value: Any, config: Config) -> Any:
    """A value as TOML data. A policy that has a name becomes that name; None stays None."""
    if value is None:
        return None
    if isinstance(value, AlgorithmConfig):
        own = section(value.options, config) if value.options is not None else {}
        return {"name": value.name, **own} if own else value.name
    if isinstance(value, HealthPolicy) and not about.named:
        return policy_name(value, config) or section(value, config)
    if about.named:
        return {name: section(entry, config) for name, entry in value.items()}
    if about.many:
        return [section(entry, config) for entry in value]
    if about.section is not None:
        return section(value, config)
    return about.kind.write(value) if about.kind is not None and about.kind.write else _data(value)


def policy_name(policy: HealthPolicy, config: Config) -> str:
    """The name under which [health] has this policy, "" if it stands in place."""
    return next((name for name, known in config.health.items() if known == policy), "")


def masked(name: str, value: Any) -> Any:
    """The data with its secrets masked, which are recognized by `name` or by the names in it."""
    if value is not None and name != "token_file" and any(word in name.lower() for word in _SECRET):
        return HIDDEN
    if isinstance(value, Mapping):
        return {inner: masked(inner, item) for inner, item in value.items()}
    return [masked("", item) for item in value] if isinstance(value, list) else value


def _given(cls: type, attribute: str, about: Key, item: Any) -> bool:
    if about.default is REQUIRED and about.kind is not None:
        return True
    field = next(field for field in dataclasses.fields(cls) if field.name == attribute)
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return bool(item != default)


def _differing(value: Timeouts, base: Timeouts) -> dict[str, Any]:
    return {name: u.in_seconds(getattr(value, attribute)) for name, (attribute, _) in keys(Timeouts).items()
            if getattr(value, attribute) != getattr(base, attribute)}


def _data(value: Any) -> Any:
    if isinstance(value, Address | u.Network):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _data(item) for name, item in value.items()}
    return [_data(item) for item in value] if isinstance(value, list | tuple) else value
