"""Maglev: any key through a Maglev table of 65537 entries (Eisenbud et al., NSDI 2016)."""

from dataclasses import dataclass

from lbd import schema
from lbd.backend.algorithm import Context
from lbd.balance.hash_keys import KEY, key_of
from lbd.balance.hashing import HashedAlgorithm, HashTable
from lbd.balance.maglev_table import MaglevTable


@dataclass(frozen=True, slots=True)
class MaglevOptions:
    """Keys of `algorithm = { name = "maglev", … }`."""

    key: str = schema.key("url", KEY, "what is hashed: url, path, source, header:NAME, cookie:NAME or query:NAME")


class Maglev(HashedAlgorithm):
    """Shares are more even than on a ring and the look-up is faster; when servers come or go, up to twice the keys
    move."""

    Options = MaglevOptions

    def __init__(self, options: MaglevOptions, context: Context) -> None:
        super().__init__(options, context, key_of(options.key))

    def place(self, hashes: list[int], weights: list[int]) -> HashTable:
        return MaglevTable(hashes, weights)
