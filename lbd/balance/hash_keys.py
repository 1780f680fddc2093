"""Keys of hash algorithms: the part of a request that is hashed, as it is written in the configuration."""

from collections.abc import Callable
from typing import Any

from lbd.backend.algorithm import RequestFacts
from lbd.http import fields
from lbd.http.message import cookie_value
from lbd.schema import units as u
from lbd.wording import type_of

Key = Callable[[RequestFacts], bytes]

PLAIN = ("url", "path", "source")
NAMED = ("header", "cookie", "query")


def _parse(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {type_of(value)}")
    what, colon, name = value.partition(":")
    if what in NAMED and not name:
        raise ValueError(f"names no {what}")
    if what not in (NAMED if colon else PLAIN):
        raise ValueError("is not known")
    if what == "query":
        u.LINE.parse(name)
    elif colon:
        u.FIELD_NAME.parse(name)
    return value


KEY = u.ValueKind("hash key", '"url", "path", "source", "header:NAME", "cookie:NAME" or "query:NAME"', _parse,
                  {"type": "string", "pattern": "^(url|path|source|(header|cookie|query):.+)$"},
                  (*PLAIN, *(f"{what}:" for what in NAMED)))


def url(request: RequestFacts) -> bytes:
    """Path and query."""
    return request.target


def path(request: RequestFacts) -> bytes:
    """The path without the query."""
    return request.target.partition(b"?")[0]


def source(request: RequestFacts) -> bytes:
    """The client's address."""
    return request.source


def key_of(written: str) -> Key:
    """A function that takes the key from a request, b"" where the request has none."""
    what, _, text = written.partition(":")
    name = text.encode()
    lower = name.lower()
    readers: dict[str, Key] = {
        "url": url,
        "path": path,
        "source": source,
        "header": lambda request: request.field(lower),
        "cookie": lambda request: cookie_value(request.field(b"cookie"), name) or b"",
        "query": lambda request: fields.query_value(request.target, name) or b"",
    }
    return readers[what]
