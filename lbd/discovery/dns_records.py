"""The records of a name as name servers gave them, and the error of one of which none said anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DnsRecords:
    """An answer: the addresses in its order, seconds that it holds, and whether there is such a name at all."""

    addresses: tuple[str, ...] = ()
    ttl: float = 0.0
    exists: bool = True


class Unanswered(OSError):
    """The error of a name of which no name server said anything."""
