"""Keys of `request_headers` and `response_headers`."""

from collections.abc import Mapping
from dataclasses import dataclass

from lbd.schema import units as u
from lbd.schema.keys import key


@dataclass(frozen=True, slots=True)
class HeaderEdits:
    """`request_headers` and `response_headers`: remove first, then set, then add."""

    set: Mapping[str, str] = key({}, u.EDITS, "fields that replace those of the same name")
    add: Mapping[str, str] = key({}, u.EDITS, "fields that are added")
    remove: tuple[str, ...] = key([], u.EDIT_NAMES, "fields that are left out")
