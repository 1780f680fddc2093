"""The kinds of values that a configuration holds: how each is written, parsed, and explained when it is wrong."""

import math
import os
import re
from typing import Any

from lbd.schema.addresses import ADDRESS as ADDRESS
from lbd.schema.addresses import ADMIN as ADMIN
from lbd.schema.addresses import BIND as BIND
from lbd.schema.addresses import BINDS as BINDS
from lbd.schema.addresses import HOST as HOST
from lbd.schema.addresses import NETWORK as NETWORK
from lbd.schema.addresses import NETWORKS as NETWORKS
from lbd.schema.addresses import OF_REQUEST as OF_REQUEST
from lbd.schema.addresses import PROXIES as PROXIES
from lbd.schema.addresses import SERVER_NAME as SERVER_NAME
from lbd.schema.addresses import UNIX as UNIX
from lbd.schema.addresses import Address as Address
from lbd.schema.addresses import Network as Network
from lbd.schema.addresses import Proxy as Proxy
from lbd.schema.kinds import ItemError as ItemError
from lbd.schema.kinds import ValueKind as ValueKind
from lbd.schema.kinds import many, mapping, text_of
from lbd.schema.messages import AUTHORITY as AUTHORITY
from lbd.schema.messages import EDIT_NAMES as EDIT_NAMES
from lbd.schema.messages import EDITS as EDITS
from lbd.schema.messages import FIELD_NAME as FIELD_NAME
from lbd.schema.messages import FIELD_NAMES as FIELD_NAMES
from lbd.schema.messages import FIELD_VALUE as FIELD_VALUE
from lbd.schema.messages import FIELDS as FIELDS
from lbd.schema.messages import HEADER_MATCH as HEADER_MATCH
from lbd.schema.messages import HOST_PATTERN as HOST_PATTERN
from lbd.schema.messages import LENIENT as LENIENT
from lbd.schema.messages import METHOD as METHOD
from lbd.schema.messages import METHODS as METHODS
from lbd.schema.messages import REDIRECT as REDIRECT
from lbd.schema.messages import REGEX as REGEX
from lbd.schema.messages import TARGET as TARGET
from lbd.schema.messages import URL_PATH as URL_PATH
from lbd.wording import listed, shown, type_of

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER = r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
_QUANTITY = re.compile(_NUMBER + r"(?P<unit>[A-Za-z]*)")

OFF = "off"
LONGEST = 366 * 86400.0     # seconds
LARGEST = 2**50             # bytes
LONGEST_NAME = 64           # characters: names stand in labels of metrics, in URLs and on command lines


def _quantity(value: Any, units: dict[str, float] | dict[str, int]) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("is a number without a unit")
    found = _QUANTITY.fullmatch(text_of(value))
    if not found:
        raise ValueError("is not a number with a unit")
    if not found["unit"]:
        raise ValueError("has no unit")
    if found["unit"] not in units:
        raise ValueError(f'has no known unit ({listed(units)})')
    return float(found["number"]) * units[found["unit"]]


def in_seconds(seconds: float) -> str:
    """A duration as it is written in a file: the largest unit that needs no fraction."""
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds * 1000:.10g}ms" if seconds else "0s"


def in_bytes(size: int) -> str:
    """A size as it is written in a file: the largest unit that needs no fraction, rather a binary one."""
    for unit in ("GiB", "MiB", "KiB", "GB", "MB", "kB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"


def duration(low: float, high: float = LONGEST) -> ValueKind:
    """A duration with a unit, of `low` to `high` seconds. Read as seconds (float)."""

    def parse(value: Any) -> float:
        seconds = round(_quantity(value, _SECONDS), 9)
        if seconds < low:
            raise ValueError("is too short")
        if seconds > high:
            raise ValueError("is too long")
        return seconds

    reach = "" if (low, high) == (0.0, LONGEST) else f" from {in_seconds(low)}" + (
        "" if high == LONGEST else f" to {in_seconds(high)}")
    schema = {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)?({'|'.join(_SECONDS)})$"}
    return ValueKind("duration", f'a duration with a unit{reach}, like "250ms", "2s", "5m" or "1h"', parse, schema,
                     write=in_seconds)


def size(low: int, high: int = LARGEST) -> ValueKind:
    """A size with a unit, of `low` to `high` bytes. Read as bytes (int)."""

    def parse(value: Any) -> int:
        exact = _quantity(value, _BYTES)
        if not math.isfinite(exact) or exact > high:
            raise ValueError("is too large")
        if exact < low:
            raise ValueError("is too small")
        if exact != int(exact):
            raise ValueError("is not a whole number of bytes")
        return int(exact)

    reach = "" if (low, high) == (0, LARGEST) else f" from {in_bytes(low)} to {in_bytes(high)}"
    schema = {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)?({'|'.join(_BYTES)})$"}
    return ValueKind("size", f'a size with a unit{reach}, like "16KiB" or "10MB"', parse, schema,
                     write=in_bytes)


def integer(low: int, high: int) -> ValueKind:
    """A whole number from `low` to `high`."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"is {type_of(value)}")
        if not low <= value <= high:
            raise ValueError("is out of range")
        return value

    return ValueKind("integer", f"a whole number from {low} to {high}", parse,
                     {"type": "integer", "minimum": low, "maximum": high}, empty=low)


def number(low: float, high: float) -> ValueKind:
    """A number from `low` to `high`, with or without a fraction."""

    def parse(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"is {type_of(value)}")
        if not low <= value <= high:
            raise ValueError("is out of range")
        return float(value)

    return ValueKind("number", f"a number from {low:g} to {high:g}", parse,
                     {"type": "number", "minimum": low, "maximum": high}, empty=low)


def choice(*words: str) -> ValueKind:
    """A word from a list."""

    def parse(value: Any) -> str:
        if text_of(value) not in words:
            raise ValueError("is not known")
        return str(value)

    return ValueKind("choice", listed(shown(word) for word in words), parse, {"enum": list(words)}, words, words[0])


def choice_of(*numbers: int) -> ValueKind:
    """A whole number from a list."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or value not in numbers:
            raise ValueError("is not one of them")
        return int(value)

    return ValueKind("choice", listed(map(str, numbers)), parse, {"enum": list(numbers)}, empty=numbers[0])


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is {type_of(value)}")
    return value


def _workers(value: Any) -> int:
    if value == "auto":
        return 0
    if isinstance(value, str):
        raise ValueError("is not known")
    return int(integer(1, 64).parse(value))


def _name(value: Any) -> str:
    text = text_of(value)
    if not text:
        raise ValueError("is empty")
    if len(text) > LONGEST_NAME:
        raise ValueError("is too long")
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        raise ValueError("has a character that a name cannot have")
    if text in (".", ".."):
        raise ValueError("is a step in a path")   # /v1/backends/web/servers/..: clients resolve it away
    return text


def _line(value: Any) -> str:
    text = text_of(value)
    if not text:
        raise ValueError("is empty")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("has a control character in it")
    return text


def _mode(value: Any) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", text_of(value)):
        raise ValueError("is no mode of a file")
    bits = int(value, 8)
    if bits & 0o600 != 0o600:
        raise ValueError("keeps the owner out")
    return bits & 0o666   # a socket is not executed


def _protocol(value: Any) -> str:
    text = _line(value)
    if not text.isascii() or len(text) > 255:
        raise ValueError("is no name of a protocol")
    return text


def _interface(value: Any) -> str:
    text = _line(value)
    if not text.isascii() or len(text) > 15 or "/" in text or " " in text or text in (".", ".."):
        raise ValueError("is no name of an interface")
    return text


def _percent(value: Any) -> float:
    found = re.fullmatch(_NUMBER + "%", text_of(value))
    if not found:
        raise ValueError("is not a percentage")
    if float(found["number"]) > 100:
        raise ValueError("is more than 100%")
    return float(found["number"]) / 100


def _status(value: Any) -> str:
    if not re.fullmatch(r"[1-5][0-9][0-9]", text_of(value)):
        raise ValueError("is not a status")
    return str(value)


def _retry(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else text_of(value)
    if text not in RETRIES:
        raise ValueError("is not known")
    return text


def _access_field(value: Any) -> str:
    text = text_of(value)
    name = text.removeprefix("header:")
    if text not in ACCESS_FIELDS and (name == text or not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name)):
        raise ValueError("is not known")
    return text


def _buckets(value: Any) -> tuple[float, ...]:
    bounds = many(duration(0.000001), "an array of durations").parse(value)
    if not 1 <= len(bounds) <= MOST_BUCKETS:
        raise ValueError(f"has {len(bounds)} bounds")
    if list(bounds) != sorted(bounds):
        raise ValueError("does not rise")
    return tuple(bounds)


def _url(value: Any) -> str:
    text = text_of(value)
    if not re.fullmatch(r"https?://[!-~]+", text):
        raise ValueError("is no http or https URL")
    return text


def _named_table(value: Any) -> Any:
    """A name, or a table, which the reader takes apart."""
    return value if isinstance(value, dict) else _name(value)


def _join(path: str, directory: str) -> str:
    return os.path.normpath(os.path.join(directory, path))


_STRING = {"type": "string"}
_FILLED = {"type": "string", "minLength": 1}

# The columns of the access log, in order.
ACCESS_FIELDS = (
    "time", "listener", "route", "backend", "server", "client", "method", "target", "protocol", "host", "status",
    "bytes_in", "bytes_out", "queue", "connect", "first_byte", "total", "retries", "ending", "reason", "id",
    "generation", "worker", "referer", "user_agent", "tls_version", "tls_cipher", "sni", "unix", "client_port")
SECRET_FIELDS = ("authorization", "proxy-authorization", "cookie", "set-cookie")
RETRIES = ("timeout", "502", "503", "504")
MOST_BUCKETS = 32

DURATION = duration(0.0)
SIZE = size(0)
BOOL = ValueKind("boolean", "true or false", _bool, {"type": "boolean"}, empty=False)
TEXT = ValueKind("text", "a string", text_of, _STRING)
TEXTS = many(TEXT, "an array of strings")
LINE = ValueKind("line", "a string of one line", _line, _FILLED)
FILE = ValueKind("file", "a path", _line, _FILLED, settle=_join)
STATE_DIR = ValueKind("directory", 'a path, or "off"', _line, _FILLED,
                      settle=lambda path, directory: path if path == OFF else _join(path, directory))
FILES = many(FILE, "a path or an array of paths")
ACCESS = ValueKind("access", '"off", "stdout", a path, or unix:PATH of a syslog', _line, _FILLED,
                   settle=lambda path, directory: path if path in ("off", "stdout") or path.startswith("unix:/")
                   else _join(path, directory))
_COLUMNS = listed([*map(shown, ACCESS_FIELDS), '"header:NAME"'])
ACCESS_COLUMNS = many(ValueKind("access field", _COLUMNS, _access_field,
                                {"anyOf": [{"enum": list(ACCESS_FIELDS)}, {"type": "string", "pattern": "^header:."}]},
                                ACCESS_FIELDS), f"an array of {_COLUMNS}")
ALPN = many(ValueKind("protocol", "a protocol as ALPN names it", _protocol, _FILLED), 'names like "h2" or "http/1.1"')
INTERFACE = ValueKind("interface", "the name of a network interface", _interface, _FILLED)
NAME = ValueKind("name", f"a name of at most {LONGEST_NAME} letters, digits, and _ - . :", _name,
                 {"type": "string", "pattern": rf"^[A-Za-z0-9_.:-]{{1,{LONGEST_NAME}}}$"})
FILE_MODE = ValueKind("mode", 'the mode of a file in octal digits, like "0600" or "0660"', _mode,
                      {"type": "string", "pattern": "^0?[67][0-7]{2}$"}, empty=0o600, write=lambda bits: f"{bits:04o}")
WORKERS = ValueKind("workers", '"auto" or a whole number from 1 to 64', _workers,
                    {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 64}]}, ("auto",),
                    write=lambda value: value or "auto")
PERCENT = ValueKind("percentage", 'a percentage from "0%" to "100%"', _percent,
                    {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"},
                    write=lambda value: f"{value * 100:.10g}%")
URL = ValueKind("URL", "an http or https URL", _url, {"type": "string", "pattern": "^https?://[!-~]+$"})
BUCKETS = ValueKind("buckets", f"an array of 1 to {MOST_BUCKETS} durations that rise", _buckets,
                    {"type": "array", "items": DURATION.schema, "minItems": 1, "maxItems": MOST_BUCKETS}, empty=(),
                    write=lambda bounds: [in_seconds(bound) for bound in bounds])
RETRY_ON = many(ValueKind("retry", listed(map(shown, RETRIES)), _retry, {"enum": [*RETRIES, 502, 503, 504]}, RETRIES),
                listed(map(shown, RETRIES), "and"))
ERROR_FILES = mapping(ValueKind("status", "a status", _status, {"type": "string", "pattern": "^[1-5][0-9][0-9]$"}),
                      FILE, "a table of status = file")
CHECK = ValueKind("check", "a kind of check", _name, _FILLED)
ALGORITHM = ValueKind("algorithm", "the name of an algorithm, or a table with its name and options", _named_table,
                      _FILLED)
HEALTH = ValueKind("health", "the name of a health policy, or a table that is one", _named_table, _FILLED)
