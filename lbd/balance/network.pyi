"""The network that a client's address lies in, as bytes to hash."""

def network(source: bytes, ipv4_prefix: int, ipv6_prefix: int) -> bytes:
    """The first bits of an address given as text, 4 or 16 bytes with zeros behind them.

    An IPv4-mapped IPv6 address is one of IPv4, a zone is no part of it. Text that is no address comes back as it is.
    """
