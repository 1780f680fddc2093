"""Sets of statuses of HTTP, as keys have them: "200-399", 503, or several of either."""

from functools import partial
from typing import Any

from lbd.schema.kinds import ValueKind, each
from lbd.wording import type_of

Statuses = tuple[tuple[int, int], ...]      # ranges, first and last


def _parse(low: int, high: int, value: Any) -> Statuses:
    entries = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str | int) else None
    if not entries or isinstance(value, bool):
        raise ValueError("is empty" if value in ([], "") else f"is {type_of(value)}")
    parse = partial(_parse_range, low, high)
    return tuple(each(enumerate(entries), parse)) if len(entries) > 1 else (parse(entries[0]),)


def _parse_range(low: int, high: int, entry: Any) -> tuple[int, int]:
    first, dash, last = str(entry).strip().partition("-")
    last = last if dash else first
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise ValueError("is no status or range of statuses")
    if not low <= int(first) <= int(last) <= high:
        raise ValueError(f"is not within {low} to {high}, or ends before it begins")
    return int(first), int(last)


def _write(value: Statuses) -> str:
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in value)


def statuses(low: int, high: int, example: str) -> ValueKind:
    """The kind of key that holds statuses from `low` to `high`."""
    return ValueKind("statuses", f'a status, a range as "{example}", or several of them', partial(_parse, low, high),
                     {"oneOf": [{"type": "integer"}, {"type": "string"},
                                {"type": "array", "items": {"type": ["string", "integer"]}}]}, write=_write)


STATUSES = statuses(100, 599, "200-399")
SERVER_ERRORS = statuses(500, 599, "500-504")
