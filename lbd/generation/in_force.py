"""The generation in force, and its endpoints as the workers were last told of them."""

from collections.abc import Iterable

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import ServerPath
from lbd.errors import NotReady
from lbd.schema import Config


class InForce:
    """`Coordinator` alone puts generations in force, `EndpointPublisher` alone notes endpoints; all others only read.

    `file_config` is the configuration as the files have it, without the servers that registered.
    """

    def __init__(self) -> None:
        self.generation: Generation | None = None
        self.file_config: Config | None = None
        self.endpoints: dict[ServerPath, Endpoint] = {}

    def put_generation(self, generation: Generation) -> None:
        """Put a generation in force, with its endpoints as they are in it."""
        self.generation = generation
        self.endpoints = {endpoint.path: endpoint for group in generation.endpoints.values() for endpoint in group}

    def note_endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        """Note that the workers were told of these."""
        self.endpoints.update({endpoint.path: endpoint for endpoint in endpoints})

    def require_generation(self) -> Generation:
        """The generation; raises `NotReady` before the first one."""
        if self.generation is None:
            raise NotReady("lbd is still starting; try again in a moment")
        return self.generation

    def in_files(self, backend: str, server: str) -> bool:
        """Whether the files have that server, registered ones left out."""
        config = self.file_config
        return config is not None and backend in config.backends and server in config.backends[backend].servers

    def has_server(self, path: ServerPath) -> bool:
        """Whether the workers have that server, registered ones included."""
        return path in self.endpoints
