"""Maglev: any key through a Maglev table of 65537 entries (Eisenbud et al., NSDI 2016)."""

from collections.abc import Sequence
from dataclasses import dataclass

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.hash_keys import KEY, key_of
from lbd.balance.hashing import HashedServers
from lbd.balance.maglev_table import MaglevTable


@dataclass(frozen=True, slots=True)
class MaglevOptions:
    """Keys of `algorithm = { name = "maglev", … }`."""

    key: str = schema.key("url", KEY, "what is hashed: url, path, source, header:NAME, cookie:NAME or query:NAME")


class Maglev(Algorithm):
    """Shares are more even than on a ring and the look-up is faster; when servers come or go, up to twice the keys
    move."""

    Options = MaglevOptions
    hashes = True

    def __init__(self, options: MaglevOptions, context: Context) -> None:
        super().__init__(options, context)
        self.key = key_of(options.key)
        self.servers = HashedServers(MaglevTable, context)

    @classmethod
    def needs_requests(cls, options: MaglevOptions) -> bool:
        return options.key != "source"

    def inherit(self, previous: "Maglev") -> None:
        self.servers.inherit(previous.servers)

    def enroll(self, servers: Sequence[Server]) -> None:
        self.servers.enroll(servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers.rebuild(servers)

    def hash_key(self, request: RequestFacts) -> bytes:
        return self.key(request)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers.server_of(self.key(request))
