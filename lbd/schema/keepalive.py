"""`tcp_keepalive`: how a silent connection is probed, as listeners and backends have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.wording import type_of

_TIME, _COUNT = u.duration(1.0, 32767.0), u.integer(1, 127)     # as far as the kernel takes them (tcp(7))
_KINDS = {"idle": _TIME, "interval": _TIME, "count": _COUNT}


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Seconds of silence before the first probe, seconds between probes, and how many may stay without an answer; an
    `idle` of 0: no probes."""

    idle: float = 120.0
    interval: float = 30.0
    count: int = 4


OFF = Keepalive(0.0, 0.0, 0)


def _parse(value: Any) -> Keepalive:
    if isinstance(value, bool):
        return Keepalive() if value else OFF
    if not isinstance(value, Mapping):
        raise ValueError(f"is {type_of(value)}")
    if unknown := [name for name in value if name not in _KINDS]:
        raise ValueError(f'has an unknown key "{unknown[0]}" (known here: {", ".join(_KINDS)})')
    found = {}
    for name, given in value.items():
        try:
            found[name] = _KINDS[name].parse(given)
        except ValueError as error:
            raise ValueError(f'has the key "{name}", which {error} (it must be {_KINDS[name].allowed})') from None
    return Keepalive(**found)


def _write(settings: Keepalive) -> bool | dict[str, Any]:
    if settings in (OFF, Keepalive()):
        return settings != OFF
    return {"idle": u.in_seconds(settings.idle), "interval": u.in_seconds(settings.interval), "count": settings.count}


KEEPALIVE = ValueKind(
    "keepalive", 'true, false, or { idle = "2m", interval = "30s", count = 4 }', _parse,
    {"anyOf": [{"type": "boolean"}, {"type": "object", "additionalProperties": False,
                                     "properties": {name: kind.schema for name, kind in _KINDS.items()}}]},
    empty=OFF, write=_write)
USER_TIMEOUT = u.duration(0.1, 86400.0)
