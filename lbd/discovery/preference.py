"""The order in which addresses are to be used: RFC 6724, as far as it needs no more than a look at the routes.

Addresses that cannot be reached from here come last (rule 1), then the policy table decides (rule 6, section 2.1: IPv6
before IPv4, unique local and tunnelled addresses after both); equal ones keep the order of DNS.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable

PRECEDENCE = tuple((ipaddress.ip_network(network), rank) for network, rank in (
    ("::1/128", 50), ("::ffff:0:0/96", 35), ("2002::/16", 30), ("2001::/32", 5), ("fc00::/7", 3), ("::/96", 1),
    ("fec0::/10", 1), ("3ffe::/16", 1), ("::/0", 40)))
IPV4 = 35


def reachable(address: str) -> bool:
    """Whether there is a route from here; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.connect((address, 9))
    except OSError:
        return False
    return True


def preferred(addresses: Iterable[str], reachable: Callable[[str], bool] = reachable) -> list[str]:
    """The addresses, the one to use first in front. Those that are no server's are left out: every address of this
    machine ("0.0.0.0", with which filters answer) and groups."""
    ranks = {}
    for address in addresses:
        ip = ipaddress.ip_address(address)
        if not (ip.is_unspecified or ip.is_multicast):
            ranks[address] = not reachable(address), -_precedence(ip)
    return sorted(ranks, key=ranks.__getitem__)


def _precedence(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    if ip.version == 4:
        return IPV4
    return next(rank for network, rank in PRECEDENCE if ip in network)
