"""Changes at runtime, as tables of keys like those of the files: override requests, overrides, registrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lbd.config.catalog import Catalog
from lbd.config.findings import Findings
from lbd.config.tables import Tables
from lbd.schema import REQUIRED, key, keys
from lbd.schema import units as u
from lbd.schema.addresses import Address
from lbd.schema.kinds import ValueKind, each, text_of
from lbd.wording import type_of

LONGEST_LINE = 200   # characters of a reason or a name
MOST_TAGS = 32

T = TypeVar("T")


def _short(value: Any) -> str:
    text = text_of(value)
    if len(text) > LONGEST_LINE:
        raise ValueError("is too long")
    if not text.isprintable():
        raise ValueError("has a character in it that cannot be printed")
    return text


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"is {type_of(value)}")
    if len(value) > MOST_TAGS:
        raise ValueError("is too long")
    return tuple(each(enumerate(value), _short))


def _moment(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise ValueError("is no point in time")
    return float(value)


SHORT = ValueKind("text", f"a string of one line, at most {LONGEST_LINE} characters", _short,
                  {"type": "string", "maxLength": LONGEST_LINE})
TAGS = ValueKind("tags", f"an array of at most {MOST_TAGS} strings of one line", _tags,
                 {"type": "array", "items": SHORT.schema, "maxItems": MOST_TAGS}, write=list)
MOMENT = ValueKind("time", "seconds since 1970", _moment, {"type": "number", "minimum": 0})
MODE = u.choice("ready", "drain", "maint")
FORCED = u.choice("up", "down")
WEIGHT = u.integer(0, 1000)
CONNECTIONS = u.integer(1, 1_000_000)
TTL = u.duration(1.0, 86400.0)

# The settings of an override, in the order in which they are shown.
SETTINGS = ("mode", "weight", "max_conns", "health")


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """A change of a server or of a whole backend: keys that are given are set, null goes back to the files."""

    mode: str | None = key(None, MODE, "what the operator wants of it")
    weight: int | None = key(None, WEIGHT, "share of the traffic; 0: no new clients")
    max_conns: int | None = key(None, CONNECTIONS, "most requests in flight")
    health: str | None = key(None, FORCED, "health whatever checks and traffic say")
    cut: float | None = key(None, u.duration(0.0), "cut what is at it after so long; 0s: now. In drain and maint only")
    reason: str = key("", SHORT, "why")
    for_: float | None = key(None, u.duration(1.0), "how long; then it ends by itself", name="for")


@dataclass(frozen=True, slots=True)
class Override:
    """The overrides in force of a server (of a whole backend: `server` is empty), and their author."""

    backend: str = key(REQUIRED, u.NAME, "backend")
    server: str = key("", SHORT, "server; empty: every server of the backend")
    mode: str | None = key(None, MODE, "mode")
    weight: int | None = key(None, WEIGHT, "weight")
    max_conns: int | None = key(None, CONNECTIONS, "most requests in flight")
    health: str | None = key(None, FORCED, "health")
    who: str = key("", SHORT, "who wanted it")
    reason: str = key("", SHORT, "why")
    at: float = key(0, MOMENT, "since when, in seconds since 1970")
    until: float = key(0, MOMENT, "when it ends by itself; 0: never")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that it overrides."""
        return {name: value for name in SETTINGS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """A server that registers itself; repeated before `ttl` has passed, else it is drained and removed."""

    address: Address = key(REQUIRED, u.ADDRESS, "IP:PORT or [IPv6]:PORT")
    weight: int = key(1, WEIGHT, "share of the traffic")
    max_conns: int | None = key(None, CONNECTIONS, "most requests in flight")
    ttl: float = key("30s", TTL, "how long it stays without being repeated")
    tags: tuple[str, ...] = key([], TAGS, "words that are shown with it")


@dataclass(frozen=True, slots=True)
class SavedRegistration:
    """A registration as it is kept over a restart."""

    backend: str = key(REQUIRED, u.NAME, "backend")
    server: str = key(REQUIRED, u.NAME, "its name")
    offer: RegistrationRequest = key(
        REQUIRED,
        ValueKind("table", "a table", lambda value: from_table(RegistrationRequest, value), {"type": "object"}),
        "what it registered")
    who: str = key("", SHORT, "who registered it")


def from_table(cls: type[T], data: Any, what: str = "the request") -> T:
    """An instance of one of the classes; raises `ConfigError` with everything that is wrong with the data."""
    findings = Findings(what)
    tables = Tables(findings, Catalog({}, {}, None, findings))
    if isinstance(data, Mapping):
        table: type = cls
        known = keys(table)
        data = {name: value for name, value in data.items() if value is not None or name not in known}
    made: T = tables.section(cls, data, ())
    findings.settle(())
    return made


def to_table(value: Any) -> dict[str, Any]:
    """Data from which `from_table` makes an equal instance: the keys that are not the default."""
    found: dict[str, Any] = {}
    cls: type = type(value)
    for name, (attribute, about) in keys(cls).items():
        item = getattr(value, attribute)
        if item is None or (about.default is not None and about.default is not REQUIRED and about.kind is not None
                            and item == about.kind.parse(about.default)):
            continue
        if isinstance(item, RegistrationRequest):
            found[name] = to_table(item)
        elif about.kind is not None and about.kind.write is not None:
            found[name] = about.kind.write(item)
        else:
            found[name] = str(item) if isinstance(item, Address) else item
    return found
