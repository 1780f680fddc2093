"""Values of `filters`: filters of the operator's own, each named by its class and perhaps with options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lbd.schema.kinds import ValueKind, each, text_of
from lbd.wording import type_of

MOST = 32       # filters in one place
_CLASS = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_SCHEMA = {"type": "string", "pattern": r"^[\w.]+:\w+$"}


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """A filter of the operator's own: `use` names its class as package.module:Class. `options` are as they are written;
    the class says which there are (`lbd.filters.plugin`)."""

    use: str
    options: Mapping[str, object] = field(default_factory=dict)


def _filter(value: object) -> FilterConfig:
    table = dict(value) if isinstance(value, Mapping) else {"use": value}
    if "use" not in table:
        raise ValueError('has no key "use", which names the class')
    use = text_of(table.pop("use"))
    if not _CLASS.fullmatch(use):
        raise ValueError("is not the name of a class: package.module:Class")
    return FilterConfig(use, table)


def _filters(value: object) -> tuple[FilterConfig, ...]:
    if not isinstance(value, list):
        raise ValueError(f"is {type_of(value)}")
    if len(value) > MOST:
        raise ValueError(f"holds more than {MOST} filters")
    return tuple(each(enumerate(value), _filter))


def _write(filters: tuple[FilterConfig, ...]) -> list[object]:
    return [{"use": one.use, **one.options} if one.options else one.use for one in filters]


FILTERS = ValueKind(
    "filters", 'an array of "package.module:Class", or of tables { use = "package.module:Class", options }', _filters,
    {"type": "array", "maxItems": MOST, "items": {"anyOf": [
        _SCHEMA, {"type": "object", "properties": {"use": _SCHEMA}, "required": ["use"]}]}}, (), (), None, _write)
