"""The targets of runtime changes: the backends and servers in force, registered ones included."""

from lbd.errors import UnknownTarget
from lbd.generation import outage
from lbd.generation.control_plane import ControlPlane
from lbd.schema import BackendConfig
from lbd.wording import nearest, shown


class Targets:
    """The backends and servers of the generation in force. Each method raises `NotReady` before the first one."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def require_backend(self, name: str) -> BackendConfig:
        """The backend of that name; raises `UnknownTarget`."""
        backends = self._plane.in_force.require_generation().config.backends
        if name not in backends:
            raise UnknownTarget(f"there is no backend {shown(name)}{nearest(name, backends)}")
        return backends[name]

    def require_server(self, backend: str, server: str) -> None:
        """Raise `UnknownTarget` unless the backend has that server; `name@host` is one of several of a name."""
        servers = self.require_backend(backend).servers
        path = backend, server
        registered = self._plane.servers.registry.entry_of(path) is not None
        if not (server in servers or self._plane.in_force.has_server(path) or registered):
            raise UnknownTarget(f"backend {shown(backend)} has no server {shown(server)}{nearest(server, servers)}")

    def is_served(self, backend: str) -> bool:
        """Whether the backend has a usable server."""
        config = self._plane.in_force.require_generation().config
        return outage.served(self._plane.servers.endpoints.of_backend(config, backend))
