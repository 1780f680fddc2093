"""URL hash: requests for the same path and query go to the same server, through a Maglev table."""

from dataclasses import dataclass

from lbd.backend.algorithm import Context
from lbd.balance import hash_keys
from lbd.balance.hashing import HashedAlgorithm, HashTable
from lbd.balance.maglev_table import MaglevTable
from lbd.schema import key
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class UrlOptions:
    """Keys of `algorithm = { name = "url-hash", … }`."""

    query: bool = key(True, u.BOOL, "the query counts too; false: the path alone")


class UrlHash(HashedAlgorithm):
    """The URL as it is sent to the server: without what a route strips off."""

    Options = UrlOptions

    def __init__(self, options: UrlOptions, context: Context) -> None:
        super().__init__(options, context, hash_keys.url if options.query else hash_keys.path)

    def place(self, hashes: list[int], weights: list[int]) -> HashTable:
        return MaglevTable(hashes, weights)
