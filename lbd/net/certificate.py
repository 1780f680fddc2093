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

_SEQUENCE, _OID, _UTC, _DNS, _EXTENSIONS, _VERSION = 0x30, 0x06, 0x17, 0x82, 0xA3, 0xA0
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
    """What a certificate says: host names in lower case (`*.example.com` too), Unix times, and of which kind its key is
    (an object identifier in DER)."""

    names: tuple[str, ...]
    begins: int
    ends: int
    kind: bytes


def facts(pem: bytes) -> Facts:
    """Of the first certificate of a PEM file; raises `ValueError` saying what is wrong."""
    found = _CERTIFICATE.search(pem)
    if found is None:
        raise ValueError("holds no certificate (-----BEGIN CERTIFICATE-----)")
    try:
        return _facts(base64.b64decode(found[1], validate=False))
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
    return Facts(names or tuple(_common(der, *fields[4][1:])), begins, ends, der[start:end])


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


def _common(der: bytes, start: int, end: int) -> Iterator[str]:
    """The common names of the subject: what counts where there are no alternative names."""
    for _, inner, last in _elements(der, start, end):
        for _, begin, stop in _elements(der, inner, last):
            oid, value = list(_elements(der, begin, stop))
            if oid[0] == _OID and der[oid[1]:oid[2]] == _COMMON_NAME:
                yield der[value[1]:value[2]].decode("utf-8", "replace").lower()
