"""The overrides: changes that operators made while lbd runs, beside the files."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lbd.backend.snapshot import Endpoint
from lbd.config.runtime import Override
from lbd.schema import ServerConfig

MOST = 10_000   # overrides at once
SET = 0.5       # seconds by which the wall clock moves against the monotonic one when it is set; less is drift
NAMED = 5       # servers that a warning names

Target = tuple[str, str]   # backend and server; an empty server means every server of the backend

# Fields of an endpoint; other settings of an override have no effect.
_ENDPOINT_FIELDS = frozenset(Endpoint._fields)


class Overrides:
    """All overrides, by their targets. One of a server goes before one of its backend, setting by setting.

    Ends are of the wall clock `wall`; the time left until then is of `steady`, a clock that is never set.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._known: dict[Target, Override] = {}
        self._wall = wall
        self._steady = steady
        self._ahead = wall() - steady()     # of the wall clock, when ends were last reckoned by it

    def __iter__(self) -> Iterator[Override]:
        self._follow_clock()
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def override_of(self, target: Target) -> Override | None:
        """The override of exactly this target."""
        self._follow_clock()
        return self._known.get(target)

    def put_override(self, target: Target, override: Override | None) -> Override | None:
        """Set the override, or end it with None; returns the one before."""
        self._follow_clock()
        before = self._known.pop(target, None)
        if override is not None and override.settings:
            self._known[target] = override
        return before

    def differing_servers(self, backend: str, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The servers that go on otherwise than these settings of their whole backend, and what their own say."""
        theirs = {server: {name: value for name, value in override.settings.items()
                           if settings.get(name) not in (None, value)}
                  for (name_of, server), override in self._known.items() if name_of == backend and server}
        return {server: settings for server, settings in theirs.items() if settings}

    def without_idle_mode(self, override: Override, servers: Mapping[str, ServerConfig]) -> Override:
        """The override without the mode `ready`, where the files and the override of its backend say the same: nothing
        is left of a drain that is over then, and a later drain of the whole backend includes this server."""
        own = override.server.partition("@")[0]
        mode = servers[own].mode if own in servers else "ready"     # of one that registered
        for server in ("", own):
            other = self._known.get((override.backend, server)) if server != override.server else None
            mode = (other and other.mode) or mode
        return replace(override, mode=None) if override.mode == mode == "ready" and override.server else override

    def restore(self, overrides: Iterable[Override]) -> None:
        """Take over saved overrides, with ends of the wall clock as it is now."""
        self._ahead = self._wall() - self._steady()
        self._known = {(override.backend, override.server): override for override in overrides if override.settings}

    def expired_targets(self) -> list[Target]:
        """The targets of overrides that have ended."""
        self._follow_clock()
        now = self._wall()
        return [target for target, override in self._known.items() if override.until and override.until <= now]

    def apply_to(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint as operators want it. A server of several addresses (`name@host`) is also meant by its name."""
        if not self._known:
            return endpoint
        changes: dict[str, Any] = {}
        for server in dict.fromkeys(("", endpoint.name.partition("@")[0], endpoint.name)):
            override = self._known.get((endpoint.backend, server))
            if override is not None:
                changes |= override.settings
        if not endpoint.address.literal:
            changes.pop("health", None)   # a name that was never resolved leads nowhere
        changes = {name: value for name, value in changes.items() if name in _ENDPOINT_FIELDS}
        return endpoint._replace(**changes) if changes else endpoint

    def _follow_clock(self) -> None:
        """Move the ends with a wall clock that was set, so that nothing lasts longer or shorter."""
        ahead = self._wall() - self._steady()
        moved = ahead - self._ahead
        if abs(moved) < SET:
            return
        self._ahead = ahead
        self._known = {target: replace(override, until=override.until + moved) if override.until else override
                       for target, override in self._known.items()}


def warning(servers: Mapping[str, Mapping[str, Any]]) -> str:
    """The warning that these, as `differing_servers` found them, stay as they are."""
    words = [f"{server} ({', '.join(f'{name} {value}' for name, value in settings.items())})"
             for server, settings in list(servers.items())[:NAMED]]
    more = f" and {len(servers) - NAMED} more" if len(servers) > NAMED else ""
    return (f"overrides of their own keep {', '.join(words)}{more} as they are; steer these by name, or end those with "
            "lbd overrides BACKEND/SERVER --clear")
