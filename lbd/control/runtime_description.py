"""The description of runtime changes for the API: backends and servers with their overrides and registrations."""

import asyncio
from collections.abc import Mapping
from typing import Any

from lbd.config.runtime import Override
from lbd.control.targets import Targets
from lbd.errors import UnknownTarget
from lbd.generation.control_plane import ControlPlane
from lbd.log.moment import moment
from lbd.report import status
from lbd.wording import nearest, shown


class RuntimeDescription:
    """Describes backends and servers as JSON. Each method raises `NotReady` before the first generation."""

    def __init__(self, plane: ControlPlane, targets: Targets) -> None:
        self._plane = plane
        self._targets = targets

    def describe_backends(self) -> dict[str, Any]:
        """Every backend with its servers."""
        self._plane.in_force.require_generation()
        described: dict[str, Any] = status.describe(self._plane)["backends"]
        self.annotate(described)
        return described

    def describe_backend(self, name: str) -> dict[str, Any]:
        """A backend with its servers; raises `UnknownTarget`."""
        self._targets.require_backend(name)
        config = self._plane.in_force.require_generation().config
        endpoints = self._plane.servers.endpoints.of_backend(config, name)
        return self._annotate(name, status.backend(self._plane, config, name, endpoints))

    def describe_server(self, backend: str, server: str) -> dict[str, Any]:
        """A server; raises `UnknownTarget`."""
        servers = self.describe_backend(backend)["servers"]
        if server not in servers:
            raise UnknownTarget(f"backend {shown(backend)} has no server {shown(server)}{nearest(server, servers)}")
        return {"backend": backend, "name": server, **servers[server]}

    def describe_overrides(self) -> list[dict[str, Any]]:
        """All overrides."""
        return [_describe(override) for override in self._plane.servers.overrides]

    def annotate(self, described: Mapping[str, dict[str, Any]]) -> None:
        """Add to each described backend and server its override and its registration."""
        for backend in described:
            self._annotate(backend, described[backend])

    def _annotate(self, name: str, backend: dict[str, Any]) -> dict[str, Any]:
        backend["override"] = self._override(name, "")
        now = asyncio.get_running_loop().time()
        for server, facts in backend["servers"].items():
            facts["override"] = self._override(name, server)
            entry = self._plane.servers.registry.entry_of((name, server))
            facts["registration"] = None if entry is None else {
                "ttl_seconds": entry.saved.offer.ttl, "expires_in_seconds": round(max(entry.seconds_left(now), 0.0), 1),
                "tags": list(entry.saved.offer.tags), "who": entry.saved.who, "leaving": bool(entry.leaving)}
        return backend

    def _override(self, backend: str, server: str) -> dict[str, Any] | None:
        override = self._plane.servers.overrides.override_of((backend, server))
        return None if override is None else _describe(override)


def _describe(override: Override) -> dict[str, Any]:
    return {"backend": override.backend, "server": override.server, **override.settings, "who": override.who,
            "reason": override.reason, "at": moment(override.at),
            "until": moment(override.until) if override.until else None}
