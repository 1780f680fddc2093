"""The overrides: what operators changed while lbd runs, beside what the files say."""

from collections.abc import Iterable, Iterator
from typing import Any

from lbd.backend.generation import Member
from lbd.config.runtime import Override

MOST = 10_000   # overrides at once

Target = tuple[str, str]   # backend and server; an empty server means every server of the backend

# A member has these; the others of an override have no effect.
_MEMBER = frozenset(Member._fields)


class Overrides:
    """All of them, by what they are about. One of a server goes before one of its backend, setting by setting."""

    def __init__(self) -> None:
        self._known: dict[Target, Override] = {}

    def __iter__(self) -> Iterator[Override]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def of(self, target: Target) -> Override | None:
        """The one that is about exactly this."""
        return self._known.get(target)

    def put(self, target: Target, override: Override | None) -> Override | None:
        """Set it, or end it with None; returns the one that was there."""
        before = self._known.pop(target, None)
        if override is not None and override.settings:
            self._known[target] = override
        return before

    def load(self, overrides: Iterable[Override]) -> None:
        """Take over what was kept."""
        self._known = {(override.backend, override.server): override for override in overrides if override.settings}

    def expired(self, now: float) -> list[Target]:
        """Those whose time has come; `now` is Unix time."""
        return [target for target, override in self._known.items() if override.until and override.until <= now]

    def applied(self, member: Member) -> Member:
        """The member as operators want it. A server of several addresses (`name@host`) is also meant by its name."""
        if not self._known:
            return member
        changes: dict[str, Any] = {}
        for server in dict.fromkeys(("", member.name.partition("@")[0], member.name)):
            override = self._known.get((member.backend, server))
            if override is not None:
                changes |= override.settings
        if not member.address.literal:
            changes.pop("health", None)   # a name that was never resolved leads nowhere
        changes = {name: value for name, value in changes.items() if name in _MEMBER}
        return member._replace(**changes) if changes else member
