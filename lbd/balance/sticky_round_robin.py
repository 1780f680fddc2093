"""Sticky round robin: a new client gets the next server in turn, then always the same one.

The choice is round robin's; that a client comes back to its server is `backends.NAME.sticky`, which this name implies.
"""

from lbd.balance.round_robin import RoundRobin


class StickyRoundRobin(RoundRobin):
    """Asked for new clients only, and for those whose server may not be used."""
