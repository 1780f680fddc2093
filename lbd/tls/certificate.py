"""A certificate as its file has it: for which names it is, and from when to when (X.509, RFC 5280, in DER and PEM)."""

import base64
import binascii
import calendar
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END ", re.DOTALL)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)

_SEQUENCE, _UTC, _DNS, _EXTENSIONS, _VERSION = 0x30, 0x17, 0x82, 0xA3, 0xA0
_COMMON_NAME, _ALTERNATIVE_NAMES = bytes.fromhex("550403"), bytes.fromhex("551d11")


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificate and chain with their private key, as they were in files; `path` is where the certificate stood."""

    path: str
    chain: bytes
    key: bytes = field(repr=False)

    @property
    def whole(self) -> bytes:
        """All of it as one file's content."""
        return self.chain + b"\n" + self.key


class Facts(NamedTuple):
    """The contents of a certificate: host names in lower case (`*.example.com` too), Unix times, the kind of its key
    (an object identifier in DER), and the names (DER) of whom it is for and of who signed it."""

    names: tuple[str, ...]
    begins: int
    ends: int
    kind: bytes
    subject: bytes
    issuer: bytes


def facts(pem: bytes) -> Facts:
    """The facts of the first certificate of a PEM file; raises `ValueError` saying what is wrong."""
    found = _CERTIFICATE.search(pem)
    if found is None:
        raise ValueError("holds no certificate (-----BEGIN CERTIFICATE-----)")
    return _read(found[1])


def every(pem: bytes) -> list[Facts]:
    """The facts of all certificates of a PEM file, in order; raises `ValueError` saying what is wrong."""
    return [_read(found[1]) for found in _CERTIFICATE.finditer(pem)]


def ders(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file in DER; raises `ValueError`."""
    return [base64.b64decode(found[1], validate=False) for found in _CERTIFICATE.finditer(pem)]


def common_name(name: bytes) -> str:
    """The common name in a name (DER), else the last of its values; "" for an empty one."""
    values = _common(name) or [name[start:end].decode("utf-8", "replace") for _, start, end in _values(name)]
    return values[-1] if values else ""


def same_name(one: bytes, other: bytes) -> bool:
    """Whether two names (DER) are of the same: case, blanks and the kind of string do not count (RFC 5280 7.1)."""
    return one == other or _folded(one) == _folded(other)


def _folded(name: bytes) -> list[tuple[bytes, bytes]]:
    return [(kind, b" ".join(name[start:end].lower().split())) for kind, start, end in _values(name)]


def _values(name: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind (an object identifier) and place of each value of a name."""
    for _, inner, last in _elements(name, *_element(name, 0)[1:]):
        for _, begin, stop in _elements(name, inner, last):
            kind, value = list(_elements(name, begin, stop))
            yield name[kind[1]:kind[2]], value[1], value[2]


def _read(text: bytes) -> Facts:
    try:
        return _facts(base64.b64decode(text, validate=False))
    except (binascii.Error, IndexError, OverflowError, UnicodeDecodeError, ValueError):
        raise ValueError("holds a certificate that cannot be read") from None


def blocks(pem: bytes) -> str:
    """The PEM blocks alone, without what people write between them."""
    return "\n".join(found[0].decode("ascii", "replace") for found in _BLOCK.finditer(pem))


def _facts(der: bytes) -> Facts:
    tag, start, end = _element(der, 0)
    fields = list(_elements(der, *_element(der, start)[1:]))
    if tag != _SEQUENCE or end != len(der):
        raise ValueError
    if fields[0][0] == _VERSION:
        del fields[0]
    begins, ends = [_moment(der, *element) for element in _elements(der, *fields[3][1:])]
    names: tuple[str, ...] = ()
    for tag, *inside in fields[6:]:
        if tag == _EXTENSIONS:
            names = tuple(_alternative(der, *_element(der, inside[0])[1:]))
    _, start, end = _element(der, _element(der, fields[5][1])[1])
    issuer, subject = der[fields[1][2]:fields[2][2]], der[fields[3][2]:fields[4][2]]
    for name in (issuer, subject):
        list(_values(name))     # raises where it cannot be read
    if not names:       # the subject's common name counts where there are no alternative names
        names = tuple(name.lower() for name in _common(subject))
    return Facts(names, begins, ends, der[start:end], subject, issuer)


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, and where the content begins and ends."""
    tag, size = der[at], der[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(der[at:at + count])
        at += count
    if at + size > len(der):
        raise ValueError
    return tag, at, at + size


def _elements(der: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    while start < end:
        element = _element(der, start)
        yield element
        start = element[2]


def _moment(der: bytes, tag: int, start: int, end: int) -> int:
    text = der[start:end].decode("ascii")
    if tag == _UTC:      # two digits of the year: 1950 to 2049
        text = ("20" if text < "5" else "19") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def _alternative(der: bytes, start: int, end: int) -> Iterator[str]:
    """The host names among the alternative names."""
    for _, inner, last in _elements(der, start, end):
        parts = list(_elements(der, inner, last))
        if der[parts[0][1]:parts[0][2]] == _ALTERNATIVE_NAMES:
            _, start, end = _element(der, parts[-1][1])
            yield from (der[a:b].decode("ascii").lower() for tag, a, b in _elements(der, start, end) if tag == _DNS)


def _common(name: bytes) -> list[str]:
    return [name[start:end].decode("utf-8", "replace") for kind, start, end in _values(name) if kind == _COMMON_NAME]
