"""The kinds of values that a configuration holds: how each is written, read, and explained when it is wrong."""

import ipaddress
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    `allowed` completes the sentence "must be …". `read` takes what tomllib gives and returns the value that the
    program uses, or raises `ValueError` whose text says what was wrong (the reader adds place and `allowed`).
    `schema` is the JSON Schema of what may be written.
    """

    name: str
    allowed: str
    read: Callable[[Any], Any]
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or connect: `host` and `port`, or the `path` of a Unix socket (then `host` is empty)."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def literal(self) -> bool:
        """No name has to be resolved: a Unix socket or an IP address."""
        if self.path:
            return True
        try:
            ipaddress.ip_address(self.host.partition("%")[0])
        except ValueError:
            return False
        return True
