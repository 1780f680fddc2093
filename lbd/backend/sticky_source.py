"""Stickiness by source address, for `tcp`: a client's next connection goes to the server that it had, in any worker."""

from collections.abc import Collection

from xxhash import xxh3_64_intdigest

from lbd.backend.server import Server
from lbd.stats.sources import SourceTable


class SourceStickiness:
    """The sources of a backend as one worker knows them; the table itself is shared by all workers.

    `lifetime`: seconds after its last connection for which a source is remembered.
    """

    def __init__(self, backend: str, lifetime: float, servers: Collection[Server], sources: SourceTable) -> None:
        self.backend = backend.encode()
        self.lifetime = lifetime
        self.sources = sources
        self.servers: dict[int, Server] = {}
        self.follow(servers)

    def follow(self, servers: Collection[Server]) -> None:
        """Take over the servers that there are now."""
        self.servers = {key(server): server for server in servers}

    def find(self, source: bytes) -> Server | None:
        """The server that the source had, if it still keeps clients; sources without an address have none."""
        if not source:
            return None
        server = self.servers.get(self.sources.find(self._source(source), self.lifetime))
        return server if server is not None and server.keeps_clients() else None

    def bind(self, source: bytes, server: Server) -> None:
        """Record that the source has this server from now on."""
        if source:
            self.sources.put(self._source(source), key(server), self.lifetime)

    def _source(self, source: bytes) -> int:
        return xxh3_64_intdigest(self.backend + b"\0" + source)


def key(server: Server) -> int:
    """The key of a server in the table: a hash of its name, never 0."""
    return xxh3_64_intdigest(server.name.encode()) or 1
