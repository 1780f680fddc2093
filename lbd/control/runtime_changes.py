"""The runtime changes: overrides and registrations of a daemon that runs, from the request to the disk."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from lbd.control.override_changes import OverrideChanges
from lbd.control.registrations import Registrations
from lbd.control.runtime_description import RuntimeDescription
from lbd.control.runtime_state import RuntimeState
from lbd.control.targets import Targets
from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks


class RuntimeChanges:
    """The `RuntimeChangesApi` of one daemon. A registration is acknowledged when it is on the disk, and in force soon;
    an override when it is in force: `unkept` says whether it is on the disk too."""

    def __init__(self, plane: ControlPlane, tasks: Tasks, clock: Callable[[], float] = time.time) -> None:
        targets = Targets(plane)
        self._plane = plane
        self._state = RuntimeState(plane, tasks)
        self._overrides = OverrideChanges(plane, targets, self._state, clock)
        self._registrations = Registrations(plane, targets, self._state, tasks)
        self._description = RuntimeDescription(plane, targets)

    @property
    def unkept(self) -> str:
        """The reason why the state in force would be lost at a restart, "" when it is on the disk."""
        return self._state.unkept

    def restore(self, state_dir: str, left: str = "") -> None:
        """Take over the state of an earlier life, as `RuntimeState` has it."""
        self._state.restore(state_dir, left)

    def leave(self) -> str:
        """The state that no disk keeps, for `restore` by the next version in this process."""
        return self._state.leave()

    def close(self) -> None:
        """Finish a write that is under way."""
        self._state.close()

    def tick(self) -> None:
        """End overrides and registrations whose time is over, and save again after a failure; called once a second."""
        if self._plane.in_force.generation is None:
            return
        self._overrides.end_expired()
        self._state.retry()
        self._registrations.end_expired()

    def describe_backends(self) -> dict[str, Any]:
        """Every backend with its servers, as JSON."""
        return self._description.describe_backends()

    def describe_backend(self, name: str) -> dict[str, Any]:
        """A backend with its servers, as JSON."""
        return self._description.describe_backend(name)

    def describe_server(self, backend: str, server: str) -> dict[str, Any]:
        """A server, as JSON."""
        return self._description.describe_server(backend, server)

    def describe_overrides(self) -> list[dict[str, Any]]:
        """All overrides, as JSON."""
        return self._description.describe_overrides()

    def annotate(self, described: Mapping[str, dict[str, Any]]) -> None:
        """Add to each described backend and server its override and its registration."""
        self._description.annotate(described)

    async def override(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> str:
        """Override what the files say of a server, or (`server` empty) of a backend; returns a warning or ""."""
        return await self._overrides.override(backend, server, fields, who)

    async def end_overrides(self, backend: str, server: str, who: str) -> int:
        """End the overrides of a server, of a backend and its servers, or (both empty) all; returns how many."""
        return await self._overrides.end_overrides(backend, server, who)

    async def register(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> bool:
        """Register a server, or note that it lives; True when it is new or another than before."""
        return await self._registrations.register(backend, server, fields, who)

    async def deregister(self, backend: str, server: str, wait: float, who: str) -> bool:
        """Drain a registered server, then remove it; True when it is gone within `wait` seconds."""
        return await self._registrations.deregister(backend, server, wait, who)
