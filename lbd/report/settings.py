"""The settings in force, as the files, the operators and the servers themselves gave them."""

from collections.abc import Mapping
from typing import Any

from lbd.backend.snapshot import Endpoint
from lbd.config.findings import Where
from lbd.config.origins import DEFAULT, settings
from lbd.config.places import Path
from lbd.generation.control_plane import ControlPlane
from lbd.schema import ServerConfig, keys


def describe(plane: ControlPlane, places: Mapping[Path, Where], secrets: bool = False) -> dict[str, Any]:
    """`generation`, and under `settings` each key with its value and where that is from; empty before the first one."""
    generation = plane.in_force.generation
    if generation is None:
        return {"generation": 0, "settings": []}
    told: dict[Path, Endpoint] = {("backends", name, "servers", endpoint.name): endpoint
                                for name, group in plane.servers.endpoints.by_backend(generation.config).items()
                                for endpoint in group}
    found = []
    for setting in settings(generation.config, places, secrets):
        value, origin = setting.value, setting.origin
        if len(setting.path) == 5 and setting.path[4] in keys(ServerConfig):
            backend, server, name = str(setting.path[1]), str(setting.path[3]), str(setting.path[4])
            endpoint = told.get(setting.path[:4])
            entry = plane.servers.registry.entry_of((backend, server))
            if entry is not None and setting.path[:4] not in places:
                origin = f"registration by {entry.saved.who}" if origin != DEFAULT or name == "address" else DEFAULT
            who = _overriding(plane, backend, server, name)
            if who is not None and endpoint is not None:
                value, origin = getattr(endpoint, name), f"override by {who}"
        found.append({"key": setting.key, "value": value, "origin": origin})
    return {"generation": generation.number, "settings": found}


def _overriding(plane: ControlPlane, backend: str, server: str, name: str) -> str | None:
    """The author of the override of this setting of the server."""
    for target in ((backend, server), (backend, "")):
        override = plane.servers.overrides.override_of(target)
        if override is not None and name in override.settings:
            return override.who
    return None
