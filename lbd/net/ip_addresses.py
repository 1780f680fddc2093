"""IPv4 addresses that come as IPv6 addresses (IPv4-mapped, RFC 4291 2.5.5.2), as sockets of both families show them."""

from ipaddress import IPv4Address, IPv6Address

_PREFIX = "::ffff:"     # as inet_ntop(3) writes a mapped address: in front of the dotted IPv4 address


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address of an IPv4-mapped one; any other as it is."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def unmapped_text(address: str) -> str:
    """The same for the text that the kernel has for the address of a socket."""
    return address[len(_PREFIX):] if address.startswith(_PREFIX) and "." in address else address
