"""Facts of a request for routes and algorithms: its path, host and client, and values in its query."""

import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote_to_bytes

_SLASHES = re.compile(b"(/|%2[fF])")
_SEVERAL = re.compile(b"//+")
# RFC 6874, 2: the characters in the zone of an address (RFC 4007).
_ZONE = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"


class Trusted(Protocol):
    """A set of networks."""

    def has(self, address: bytes, /) -> bool:
        """Whether the address lies in one of them; text that is no address does not."""


def routed_path(target: bytes) -> bytes:
    """The path of a request target as routes see it: without query, percent-decoded once, free of dot segments and of
    doubled slashes.

    A `%` that begins no escape stands for itself. Never raises, and what begins with "/" still does.
    """
    path = target.partition(b"?")[0]
    if b"%" in path:
        path = unquote_to_bytes(path)
    path = merged(path)
    if b"/." not in path:
        return path
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def merged(path: bytes) -> bytes:
    """The path with several slashes in a row made one, as most servers take them."""
    return _SEVERAL.sub(b"/", path) if b"//" in path else path


def remainder(path: bytes, prefix: bytes) -> bytes:
    """The rest of a raw path after a prefix (decoded, without a slash at its end), in the client's own spelling: `%2F`
    is data there, dot segments are resolved. It begins with a slash. The whole path when it does not begin with the
    prefix.
    """
    parts = _SLASHES.split(path)[1:]
    kept: list[tuple[bytes, bytes]] = []        # a slash as it is spelled, and the segment after it
    for slash, segment in zip(parts[::2], parts[1::2], strict=True):
        if not _is_dots(segment):
            kept.append((slash, segment))
        elif len(unquote_to_bytes(segment)) == 2:
            while kept and not kept.pop()[1]:
                pass
    if parts and _is_dots(parts[-1]):
        kept.append((b"/", b""))
    wanted = [segment for segment in prefix.split(b"/") if segment]
    begun = [place for place, (_, segment) in enumerate(kept, 1) if segment][:len(wanted)]
    if [unquote_to_bytes(kept[place - 1][1]) for place in begun] == wanted:
        kept = kept[begun[-1] if begun else 0:]
    rest = b"".join(slash + segment for slash, segment in kept)
    return rest if rest.startswith(b"/") else b"/" + rest


def _is_dots(segment: bytes) -> bool:
    return segment.replace(b"%2e", b".").replace(b"%2E", b".") in (b".", b"..")


def host_name(host: bytes) -> str:
    """The host of a Host field: lower case, without port and trailing dot; an IPv6 address keeps its brackets."""
    name = host.decode("latin-1").lower()
    if not name.startswith("["):
        return name.partition(":")[0].removesuffix(".")
    return name.partition("]")[0] + "]"


def client_address(forwarded_for: Sequence[bytes], trusted: Trusted) -> bytes:
    """The right-most address of X-Forwarded-For that is not a trusted proxy's; the left-most when all are.

    The values are in the order of their lines, and the last address is the peer's. Ports are cut off (some proxies
    write them). Anything but an address ends the search: nothing to the left of it can be believed, so the address to
    its right counts.
    """
    found = b""
    for item in reversed(b",".join(forwarded_for).split(b",")):
        address = _address(item.strip(b" \t"))
        if not address:
            break
        found = address
        if not trusted.has(address):
            break
    return found


def _address(text: bytes) -> bytes:
    """`192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`: without brackets and port; b"" if it is none.

    An IPv6 address may have a zone of letters and digits (RFC 4007 11): logs and servers get the text as it is.
    """
    if text.startswith(b"["):
        text = text[1:].partition(b"]")[0]
    elif text.count(b":") == 1:
        text = text.partition(b":")[0]
    if len(text) > 64 or not (b"." in text or b":" in text):
        return b""
    address, percent, zone = text.partition(b"%")
    six = b":" in address
    if percent and not (six and zone and not zone.strip(_ZONE)):
        return b""
    return b"" if address.strip(b"0123456789abcdefABCDEF:." if six else b"0123456789.") else text


def query_value(target: bytes, name: bytes) -> bytes | None:
    """The first value of a query parameter, decoded (`+` is a space); None when it is not there."""
    for pair in target.partition(b"?")[2].split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name or ((b"%" in key or b"+" in key) and _decoded(key) == name):
            return _decoded(value)
    return None


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
