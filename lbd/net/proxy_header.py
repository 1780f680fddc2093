"""The PROXY protocol's header, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): the client behind a proxy."""

import ipaddress
import struct
from collections.abc import Sequence
from typing import NamedTuple

from lbd.net.ip_addresses import unmapped

VERSIONS = {"v1": 1, "v2": 2}      # as the configuration calls them
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_V1 = 107          # bytes of a header of version 1, its CRLF counted
LONGEST = 4096            # bytes of a header of version 2; its own bound of 64 KiB is more than anyone needs
PORTS = 65535

LOCAL, PROXY = 0x20, 0x21            # version 2, and the command
ANY, INET, INET6, UNIX = range(4)    # families, in the upper half of the byte after it
STREAM = 1                           # in the lower half
SIZES = {INET: 12, INET6: 36, UNIX: 216}
MOST_FAMILY, MOST_TRANSPORT = 3, 2

ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID = 0x01, 0x02, 0x03, 0x04, 0x05     # types of the fields behind the addresses
PASSED_ON = (ALPN, AUTHORITY, UNIQUE_ID)      # fields that mean the same to the next in the chain
SSL, SSL_VERSION, SSL_NAME, SSL_CIPHER = 0x20, 0x21, 0x22, 0x23             # the latter three inside the first
WITH_SSL, CERTIFIED, CERTIFIED_BEFORE = 1, 2, 4                             # of the client: now, or in this session
LONGEST_ID = 128                              # bytes of a unique id

End = tuple[str, int]                # IP address and port
Extra = tuple[int, bytes]            # type and value
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HeaderError(ValueError):
    """The data is no header, or one that contradicts itself; the text says why."""


class Header(NamedTuple):
    """A header that was read: `size` bytes. `source` and `target` are None where it tells of no address: the sender
    speaks for itself (LOCAL), or does not know (UNKNOWN, a Unix socket)."""

    size: int
    source: End | None = None
    target: End | None = None
    extras: tuple[Extra, ...] = ()


def parse(data: bytes) -> Header | None:
    """The header at the beginning of the bytes; None while it is incomplete. Raises `HeaderError`."""
    if data[:12] == SIGNATURE[:len(data)]:
        return _parse_v2(data) if len(data) >= 16 else None
    if data[:6] == b"PROXY "[:len(data)]:
        return _parse_v1(data)
    raise HeaderError("no PROXY header")


def _parse_v1(data: bytes) -> Header | None:
    line, found, _ = data[:LONGEST_V1].partition(b"\r\n")
    if not found:
        if len(data) >= LONGEST_V1:
            raise HeaderError("a header of version 1 that does not end")
        return None
    size = len(line) + 2
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":
        return Header(size)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise HeaderError("a header of version 1 with other words than it may have")
    try:
        ends = [ipaddress.ip_address(word.decode("ascii")) for word in words[2:4]]
    except ValueError:
        raise HeaderError("a header of version 1 with a bad address") from None
    source, target = map(str, ends)
    # nginx writes TCP6 also where one of both is IPv4, behind a listener for both families.
    six = any(end.version == 6 for end in ends)
    if "%" in source + target or six is (words[1] == b"TCP4"):
        raise HeaderError("a header of version 1 with a bad address")
    return Header(size, (source, _port(words[4])), (target, _port(words[5])))


def _port(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5 or (word[:1] == b"0" and word != b"0") or int(word) > PORTS:
        raise HeaderError("a header of version 1 with a bad port")
    return int(word)


def _parse_v2(data: bytes) -> Header | None:
    command, kind = data[12], data[13]
    size = 16 + int.from_bytes(data[14:16])
    family, transport = kind >> 4, kind & 15
    if command not in (LOCAL, PROXY):
        raise HeaderError("a header of an unknown version or command")
    if family > MOST_FAMILY or transport > MOST_TRANSPORT:
        raise HeaderError("a header of version 2 with an unknown family")
    if size > LONGEST:
        raise HeaderError(f"a header of {size} bytes; at most {LONGEST} are read")
    told = command == PROXY and family != ANY and transport != 0
    if told and transport != STREAM:
        raise HeaderError("a header of version 2 that tells of datagrams")
    at = 16 + (SIZES[family] if told else 0)
    if at > size:
        raise HeaderError("a header of version 2 that is shorter than its addresses")
    if len(data) < size:
        return None
    if not told:      # the addresses have no meaning (2.2), but the checksum has, where fields can be read
        return Header(size)
    extras = _extras(data[:size], at)
    if family == UNIX:
        return Header(size, extras=extras)
    width = 4 if family == INET else 16
    source, target = (str(ipaddress.ip_address(data[start:start + width])) for start in (16, 16 + width))
    ports = struct.unpack_from("!HH", data, 16 + 2 * width)
    return Header(size, (source, ports[0]), (target, ports[1]), extras)


def _extras(header: bytes, at: int) -> tuple[Extra, ...]:
    """Type, length and value, as long as there are some; a checksum is held against the whole header."""
    found: list[Extra] = []
    summed = False
    while at < len(header):
        value = at + 3
        end = value + int.from_bytes(header[at + 1:value])
        if value > len(header) or end > len(header):
            raise HeaderError("a header of version 2 whose last part is cut")
        if header[at] == CRC32C:
            zeroed = header[:value] + bytes(end - value) + header[end:]
            if summed or end - value != 4 or crc32c(zeroed) != int.from_bytes(header[value:end]):
                raise HeaderError("a header of version 2 with a wrong checksum")
            summed = True
        elif header[at] == UNIQUE_ID and end - value > LONGEST_ID:
            raise HeaderError(f"a header of version 2 with an id of more than {LONGEST_ID} bytes")
        elif header[at] != NOOP:
            found.append((header[at], header[value:end]))
        at = end
    return tuple(found)


def write(version: int, source: End | None, target: End | None, extras: Sequence[Extra] = ()) -> bytes:
    """The header of a connection from `source` to `target`; both None where these are not known.

    `extras` are of version 2 only, with a checksum then; what would make the header too long is left out.
    """
    if source is None or target is None:
        if version == 1:
            return b"PROXY UNKNOWN\r\n"
        return _written(PROXY, ANY, b"", extras)
    addresses = [unmapped(ipaddress.ip_address(end[0].partition("%")[0])) for end in (source, target)]
    if any(isinstance(address, ipaddress.IPv6Address) for address in addresses):
        # Of two families: the older one has a form in the younger (RFC 4291, 2.5.5.2).
        addresses = [address if isinstance(address, ipaddress.IPv6Address)
                     else ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed) for address in addresses]
    family = INET6 if addresses[0].version == 6 else INET
    if version == 1:
        name = "TCP6" if family == INET6 else "TCP4"
        return f"PROXY {name} {' '.join(map(_text, addresses))} {source[1]} {target[1]}\r\n".encode()
    packed = addresses[0].packed + addresses[1].packed + struct.pack("!HH", source[1], target[1])
    return _written(PROXY, family, packed, extras)


def _text(address: Address) -> str:
    """The address as text (RFC 5952; 5: a mapped address ends as the IPv4 address)."""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(address) if mapped is None else f"::ffff:{mapped}"


def secured(client: int, verified: bool, parts: Sequence[Extra]) -> Extra:
    """The field about the encryption of the client's connection (2.2.6): flags, whether a certificate was verified, and
    parts of type SSL_VERSION and so on."""
    return SSL, struct.pack("!BI", client, 0 if verified else 1) + b"".join(
        struct.pack("!BH", kind, len(value)) + value for kind, value in parts)


def local(version: int) -> bytes:
    """The header of a connection that the proxy makes for itself: a health check."""
    return b"PROXY UNKNOWN\r\n" if version == 1 else _written(LOCAL, ANY, b"", ())


def _written(command: int, family: int, addresses: bytes, extras: Sequence[Extra]) -> bytes:
    body = addresses
    for kind, value in extras:
        if 16 + len(body) + 3 + len(value) + 7 <= LONGEST:
            body += struct.pack("!BH", kind, len(value)) + value
    place = 16 + len(body) + 3
    if len(body) > len(addresses):
        body += struct.pack("!BHI", CRC32C, 4, 0)
    header = SIGNATURE + struct.pack("!BBH", command, family << 4 | (STREAM if family else 0), len(body)) + body
    if len(body) == place - 16 + 4:
        header = header[:place] + struct.pack("!I", crc32c(header))
    return header


def crc32c(data: bytes) -> int:
    """The checksum of Castagnoli (RFC 3720, B.4)."""
    rest = 0xffffffff
    for byte in data:
        rest = _TABLE[(rest ^ byte) & 255] ^ rest >> 8
    return rest ^ 0xffffffff


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value


_TABLE = tuple(map(_entry, range(256)))
