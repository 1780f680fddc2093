"""The policy for registrations: which addresses a server may register."""

import ipaddress

from lbd.net.ip_addresses import unmapped
from lbd.schema import Registration
from lbd.schema.units import Address

# Services of clouds that tell a machine its secrets, where they are not link-local (169.254.169.254 and the like).
METADATA = tuple(map(ipaddress.ip_network, (
    "100.100.100.200/32",   # Alibaba
    "168.63.129.16/32",     # Azure
    "192.0.0.192/32",       # Oracle
    "fd00:ec2::/32",        # AWS
    "fd20:ce::254/128",     # Google
    "fd00:42::42/128",      # Scaleway
)))
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")     # RFC 1122 3.2.1.3

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal_of(policy: Registration, address: Address) -> str:
    """The reason why a server at this address may not register, "" when it may.

    Without networks in the policy, every unicast address may that is not this machine's own loopback, not link-local,
    not a metadata service of a cloud, and no tunnelled form (6to4, Teredo) of one of these.
    """
    if address.path or not address.literal:
        return "is not an IP address"
    if "%" in address.host:
        return "has a zone"
    ip = unmapped(ipaddress.ip_address(address.host))
    if policy.networks:
        allowed = any(ip in network for network in policy.networks)
        return "" if allowed else "is in none of the `networks` of the backend's `registration`"
    kind = next(filter(None, map(_special_kind, (ip, *_tunnelled(ip)))), "")
    return f"is {kind}, which only `networks` of the backend's `registration` can allow" if kind else ""


def _special_kind(ip: Ip) -> str:
    """The kind of an address at which no server is expected, "" for any other."""
    for kind in ("loopback", "link_local", "multicast", "unspecified", "reserved"):
        if getattr(ip, f"is_{kind}"):
            return kind.replace("_", "-")
    if ip in _THIS_NETWORK:
        return "unspecified"
    return "a metadata service of a cloud" if any(ip in network for network in METADATA) else ""


def _tunnelled(ip: Ip) -> list[Ip]:
    """The IPv4 addresses that a gateway may make of an IPv6 address. NAT64 (RFC 6052, RFC 8215) is in ::/8, which is
    reserved as a whole."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    return list(filter(None, (ip.sixtofour, *(ip.teredo or ()))))
