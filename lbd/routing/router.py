"""The router of one listener in one generation: from host, path, method and fields of a request to its target."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import re2

from lbd import schema
from lbd.http import fields
from lbd.http.message import Head
from lbd.routing.target import RouteTarget

REMEMBERED = 1024        # raw Host values whose routes are kept at hand; a client could send any number
GUARDED = 4              # routes of a host from which on it pays to look first whether any of them can match
LONGEST = 270            # bytes of a Host that is worth it: a name and a port


class RequestMatcher:
    """The conditions of a route besides its host, and its target. `below`: the prefix with its slash, where it stands
    for a whole segment."""

    def __init__(self, route: schema.RouteConfig, target: RouteTarget) -> None:
        prefix = fields.merged(route.path_prefix.encode()) if route.path_prefix is not None else None
        self.target = target
        self.path = fields.merged(route.path.encode()) if route.path is not None else None
        self.prefix = prefix
        self.below = prefix + b"/" if prefix is not None and not prefix.endswith(b"/") else prefix
        self.pattern: Any = re2.compile(route.path_regex.encode()) if route.path_regex is not None else None
        self.methods = frozenset(method.encode() for method in route.method)
        self.header = header_matchers(route.header)

    def matches(self, path: bytes, request: Head) -> bool:
        """Whether path, method and header fields all match."""
        if self.path is not None and path != self.path:
            return False
        if not self.covers(path):
            return False
        if self.pattern is not None and self.pattern.fullmatch(path) is None:
            return False
        if self.methods and request.method not in self.methods:
            return False
        return not self.header or has_fields(request, self.header)

    def covers(self, path: bytes) -> bool:
        """Whether the path is the prefix or below it; also where there is none."""
        if self.prefix is None or self.below is None:
            return True
        return path.startswith(self.below) or path == self.prefix


class Choices:
    """The routes that a host may take. `guard`: how every path begins that any of them takes; None: not known, or of no
    use."""

    def __init__(self, matchers: tuple[RequestMatcher, ...]) -> None:
        starts = {item.path if item.path is not None else item.prefix for item in matchers}
        useful = None not in starts and len(matchers) >= GUARDED
        self.guard = tuple(start for start in starts if start is not None) if useful else None
        self.matchers = matchers


class Router:
    """The routes of a listener: the first match wins. The path is matched percent-decoded and free of dot segments (RFC
    3986, 6.2.2) and of doubled slashes. The routes of a host are found by an index, not by a look at every route."""

    def __init__(self, routes: Sequence[tuple[schema.RouteConfig, RouteTarget]], default: RouteTarget) -> None:
        self.default = default
        self.given = tuple(routes)
        self.routes = tuple((route.host, RequestMatcher(route, target)) for route, target in routes)
        self.remembered: dict[bytes, Choices] = {}
        self._indexes: dict[str | None, list[int]] = {}       # of the routes, by the host that is written there
        for index, (pattern, _) in enumerate(self.routes):
            self._indexes.setdefault(pattern, []).append(index)
        self._longest = max((len(pattern or "") for pattern, _ in self.routes), default=0)
        self._choices: dict[tuple[str | None, ...], Choices] = {}

    def route(self, request: Head) -> RouteTarget:
        """The target of a request that was just scanned."""
        if not self.routes:
            return self.default
        choices = self.remembered.get(request.host)
        if choices is None:
            choices = self._remember(request.host)
        path = request.path() if request.plain else fields.routed_path(request.target)
        if choices.guard is not None and request.plain and not path.startswith(choices.guard):
            return self.default
        for item in choices.matchers:
            if item.matches(path, request):
                return item.target
        return self.default

    def _remember(self, host: bytes) -> Choices:
        patterns = (None, *host_patterns(fields.host_name(host), self._longest, self._indexes))
        choices = self._choices.get(patterns)
        if choices is None:
            if len(self._choices) >= REMEMBERED:
                self._choices.clear()
            choices = self._choices[patterns] = self._choose(patterns)
        if len(self.remembered) >= REMEMBERED:
            self.remembered.clear()
        if len(host) <= LONGEST:
            self.remembered[host] = choices
        return choices

    def _choose(self, patterns: tuple[str | None, ...]) -> Choices:
        indexes = sorted(index for pattern in patterns for index in self._indexes.get(pattern, ()))
        return Choices(tuple(self.routes[index][1] for index in indexes))


def host_patterns(name: str, longest: int, known: Container[str | None]) -> list[str]:
    """The known patterns that match the name: the name itself, and `*.` before the rest after each of its dots."""
    found = [name] if name in known and not name.startswith("*.") else []
    dot = name.find(".", max(1, len(name) - longest))
    while dot > 0:
        pattern = "*" + name[dot:]
        if pattern in known:
            found.append(pattern)
        dot = name.find(".", dot + 1)
    return found


def host_matches(pattern: str | None, name: str) -> bool:
    """Whether a name matches a pattern: an exact name, or `*.example.com` for every name below it."""
    if pattern is None:
        return True
    return name.endswith(pattern[1:]) and name != pattern[1:] if pattern.startswith("*.") else name == pattern


def has_field(request: Head, name: bytes, wanted: bytes | None) -> bool:
    """Whether a request has a field of that name, with that value unless it is None."""
    values = request.values(name)
    return wanted in values if wanted is not None else bool(values)


def has_fields(request: Head, wanted: tuple[tuple[bytes, bytes | None], ...]) -> bool:
    """Whether a request has all of these fields."""
    return all(has_field(request, name, value) for name, value in wanted)


def header_matchers(wanted: Mapping[str, str]) -> tuple[tuple[bytes, bytes | None], ...]:
    """Lower-case field name and the value it must have, None for any."""
    return tuple((name.lower().encode(), None if value == "*" else value.encode()) for name, value in wanted.items())
