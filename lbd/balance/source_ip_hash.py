"""Source IP hash: clients of the same address, or network, go to the same server, through a Maglev table."""

from collections.abc import Sequence
from dataclasses import dataclass

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.hashing import HashedServers
from lbd.balance.maglev_table import MaglevTable
from lbd.balance.network import network
from lbd.schema import key
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Keys of `algorithm = { name = "source-ip-hash", … }`."""

    ipv4_prefix: int = key(32, u.integer(1, 32), "bits of an IPv4 address that count")
    ipv6_prefix: int = key(64, u.integer(1, 128), "bits of an IPv6 address that count; a host has often a whole /64")


class SourceIpHash(Algorithm):
    """Behind a trusted proxy the address is the client's own. An IPv4-mapped address is one of IPv4."""

    Options = SourceOptions
    hashes = True

    def __init__(self, options: SourceOptions, context: Context) -> None:
        super().__init__(options, context)
        self.servers = HashedServers(MaglevTable, context)

    def inherit(self, previous: "SourceIpHash") -> None:
        self.servers.inherit(previous.servers)

    def enroll(self, servers: Sequence[Server]) -> None:
        self.servers.enroll(servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers.rebuild(servers)

    def hash_key(self, request: RequestFacts) -> bytes:
        """The client's network."""
        return network(request.source, self.options.ipv4_prefix, self.options.ipv6_prefix)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers.server_of(self.hash_key(request))
