"""URL hash: requests for the same path and query go to the same server, through a Maglev table."""

from collections.abc import Sequence
from dataclasses import dataclass

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance import hash_keys
from lbd.balance.hashing import HashedServers
from lbd.balance.maglev_table import MaglevTable
from lbd.schema import key
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class UrlOptions:
    """Keys of `algorithm = { name = "url-hash", … }`."""

    query: bool = key(True, u.BOOL, "the query counts too; false: the path alone")


class UrlHash(Algorithm):
    """The URL as it is sent to the server: without the prefix that a route strips off."""

    Options = UrlOptions
    hashes = True

    def __init__(self, options: UrlOptions, context: Context) -> None:
        super().__init__(options, context)
        self.key = hash_keys.url if options.query else hash_keys.path
        self.servers = HashedServers(MaglevTable, context)

    @classmethod
    def needs_requests(cls, options: UrlOptions) -> bool:
        return True

    def inherit(self, previous: "UrlHash") -> None:
        self.servers.inherit(previous.servers)

    def enroll(self, servers: Sequence[Server]) -> None:
        self.servers.enroll(servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers.rebuild(servers)

    def hash_key(self, request: RequestFacts) -> bytes:
        return self.key(request)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers.server_of(self.key(request))
