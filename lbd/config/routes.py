"""Rules within and between the routes of a listener."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from heapq import merge
from itertools import product
from typing import Any

import re2

from lbd.config.findings import Findings, dotted
from lbd.config.places import Path
from lbd.schema import Config, ListenerConfig, RouteConfig
from lbd.schema.keys import keys
from lbd.wording import listed, nearest, shown

PATHS = ("path", "path_prefix", "path_regex")
ACTIONS = ("backend", "redirect", "respond")
MOST_COMPARED = 500_000          # pairs of routes: some 0.5 s
Group = tuple[str | None, str | None]       # host or SNI, and how the path begins

OF_TLS = ("sni", "alpn")         # the conditions of a route in tcp mode
OF_BOTH = ("backend", "access_log")     # keys of routes in either mode


def check_routes(config: Config, findings: Findings) -> None:
    """All rules of this file, for every listener."""
    for name, listener in config.listeners.items():
        path: Path = ("listeners", name)
        if listener.backend is not None:
            _check_backend(config, listener.backend, (*path, "backend"), findings)
        for index, route in enumerate(listener.routes):
            here = (*path, "routes", index)
            _check_mode(route, listener.mode == "tcp", here, findings)
            _check_route(route, here, findings)
            if route.backend is not None:
                _check_backend(config, route.backend, (*here, "backend"), findings)
        _check_hidden(listener, path, findings)


def _check_backend(config: Config, name: str, path: Path, findings: Findings) -> None:
    if name not in config.backends:
        known = f"; known: {', '.join(config.backends)}" if config.backends else "; there is none yet: [backends.NAME]"
        findings.missing(path, f"{shown(name)} is no backend{nearest(name, config.backends) or known}")


def _check_mode(route: RouteConfig, tcp: bool, path: Path, findings: Findings) -> None:
    """A route asks only for facts that the listener's mode has."""
    for name, (attribute, _) in keys(RouteConfig).items():
        if name not in OF_BOTH and (name in OF_TLS) != tcp and getattr(route, attribute):
            of_tls = listed(OF_TLS, "and")
            findings.error((*path, name), f"a tcp listener sees no requests, only {of_tls} of TLS clients" if tcp
                           else "is for listeners of mode tcp")


def _check_route(route: RouteConfig, path: Path, findings: Findings) -> None:
    """Rules of a single route."""
    actions = [name for name in ACTIONS if findings.given((*path, name))]
    if not actions and findings.sound(path):
        findings.error(path, "a route needs one of backend, redirect and respond")
    elif len(actions) > 1:
        findings.error((*path, actions[1]), f"{listed(actions, 'and')} are given; a route can have one of them")
    paths = [name for name in PATHS if findings.given((*path, name))]
    if len(paths) > 1:
        findings.error((*path, paths[1]), f"{listed(paths, 'and')} are given; a route can have one of them")
    if route.strip_prefix is None:
        return
    at = (*path, "strip_prefix")
    begin = route.path_prefix if route.path_prefix is not None else route.path
    if actions and actions[0] != "backend":
        findings.error(at, f"has no meaning beside {actions[0]}: nothing is sent on")
    elif begin is None or not covers(route.strip_prefix.rstrip("/"), begin):
        what = "path_prefix is missing" if begin is None else f"it begins with {shown(begin)}"
        findings.error(at, f"{shown(route.strip_prefix)} is not how every path of this route begins ({what})")


def _check_hidden(listener: ListenerConfig, path: Path, findings: Findings) -> None:
    """Warn of each route that can never be reached, since an earlier one takes all of its requests.

    Only routes that may hide another are compared with it, and no more than MOST_COMPARED of a listener: the rest goes
    without a warning.
    """
    left = MOST_COMPARED
    groups: dict[Group, list[int]] = {}
    for later, route in enumerate(listener.routes):
        here: Path = (*path, "routes", later)
        if not findings.untouched(here):
            continue      # a condition that could not be read would look like none
        for earlier in merge(*(groups[group] for group in dict.fromkeys(_hiding(route)) if group in groups)):
            left -= 1
            if left < 0:
                return
            if hides(listener.routes[earlier], route):
                other = (*path, "routes", earlier)
                file, line, _ = findings.where(other)
                findings.warn(here, f"never reached: {dotted(other)} ({file}:{line}) takes all of its requests")
                break
        groups.setdefault((_name(route), _begin(route)), []).append(later)


def _name(route: RouteConfig) -> str | None:
    return route.host if route.host is not None else route.sni


def _begin(route: RouteConfig) -> str | None:
    """The beginning of the path, by which a route is found; None where it is unknown."""
    return route.path if route.path is not None else route.path_prefix


def _hiding(route: RouteConfig) -> Iterator[Group]:
    """The groups of the routes that may hide this one: of every host and every path that take in its own."""
    names: list[str | None] = [None]
    for name in (route.host, route.sni):
        if name is not None:
            names += [name, *(f"*{name[at:]}" for at in range(len(name)) if name[at] == ".")]
    begin = _begin(route)
    begins: list[str | None] = [None]
    if begin is not None:
        slashes = [at for at, letter in enumerate(begin) if letter == "/"]
        begins += [begin, *(begin[:at] for at in slashes), *(begin[:at + 1] for at in slashes)]
    return product(names, begins)


def covers(prefix: str, path: str) -> bool:
    """Whether every path that begins with `path` begins with `prefix`, by whole segments."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")


def hides(earlier: RouteConfig, later: RouteConfig) -> bool:
    """Whether `earlier` takes every request that `later` would take; False where that is uncertain."""
    return (_hides_host(earlier.host, later.host) and _hides_host(earlier.sni, later.sni)
            and (not earlier.alpn or (bool(later.alpn) and set(later.alpn) <= set(earlier.alpn)))
            and (not earlier.method or (bool(later.method) and set(later.method) <= set(earlier.method)))
            and _hides_header(earlier.header, later.header)
            and _hides_path(earlier, later))


def _hides_host(earlier: str | None, later: str | None) -> bool:
    if earlier is None or earlier == later:
        return True
    return later is not None and earlier.startswith("*.") and later.removeprefix("*").endswith(earlier[1:])


def _hides_path(earlier: RouteConfig, later: RouteConfig) -> bool:
    if earlier.path is not None:
        return earlier.path == later.path
    if earlier.path_prefix is not None:
        begin = later.path if later.path is not None else later.path_prefix
        return begin is not None and covers(earlier.path_prefix, begin)
    if earlier.path_regex is not None:
        if later.path is not None:
            return _pattern(earlier.path_regex).fullmatch(later.path) is not None
        return earlier.path_regex == later.path_regex
    return True


@lru_cache(4096)  # each pattern is compared with every later route
def _pattern(text: str) -> Any:
    return re2.compile(text)


def _hides_header(earlier: Mapping[str, str], later: Mapping[str, str]) -> bool:
    wanted = {name.lower(): value for name, value in later.items()}
    return all(name.lower() in wanted and value in ("*", wanted[name.lower()]) for name, value in earlier.items())
