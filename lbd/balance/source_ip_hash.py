"""Source IP hash: clients of the same address, or network, go to the same server, through a Maglev table."""

from dataclasses import dataclass

from lbd.backend.algorithm import Context, RequestFacts
from lbd.balance.hashing import HashedAlgorithm, HashTable
from lbd.balance.maglev_table import MaglevTable
from lbd.balance.network import network
from lbd.schema import key
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Keys of `algorithm = { name = "source-ip-hash", … }`."""

    ipv4_prefix: int = key(32, u.integer(1, 32), "bits of an IPv4 address that count")
    ipv6_prefix: int = key(64, u.integer(1, 128), "bits of an IPv6 address that count; a host has often a whole /64")


class SourceIpHash(HashedAlgorithm):
    """Behind a trusted proxy the address is the client's own. An IPv4-mapped address is one of IPv4."""

    Options = SourceOptions

    def __init__(self, options: SourceOptions, context: Context) -> None:
        super().__init__(options, context, self.network)

    def network(self, request: RequestFacts) -> bytes:
        """The client's network."""
        return network(request.source, self.options.ipv4_prefix, self.options.ipv6_prefix)

    def place(self, hashes: list[int], weights: list[int]) -> HashTable:
        return MaglevTable(hashes, weights)
