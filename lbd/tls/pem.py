"""PEM files of TLS (RFC 7468), and the facts of their certificates as the supervisor read them.

Workers import this file: it takes text apart and no X.509, which `lbd.tls.certificate` reads by a library that is kept
out of workers.
"""

import base64
import re
from dataclasses import dataclass, field
from typing import NamedTuple

_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END ", re.DOTALL)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)

COMMON_NAME = "2.5.4.3"

DistinguishedName = tuple[tuple[str, str], ...]     # object identifier and value of each attribute, in order


class CertificateFacts(NamedTuple):
    """The contents of a certificate: host names in lower case (`*.example.com` too), Unix times, the algorithm of its
    key (an object identifier, "" where it is unknown), and the distinguished names of its subject and issuer."""

    names: tuple[str, ...]
    begins: int
    ends: int
    key_algorithm: str
    subject: DistinguishedName
    issuer: DistinguishedName


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificate and chain with their private key, as they were in files; `path` is that of the certificate, `facts`
    are those of the first certificate."""

    path: str
    chain: bytes
    key: bytes = field(repr=False)
    facts: CertificateFacts

    @property
    def whole(self) -> bytes:
        """Chain and key as the content of one file."""
        return self.chain + b"\n" + self.key


def certificates(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file in DER, in order; raises `ValueError` for broken base64."""
    return [base64.b64decode(block[1], validate=False) for block in _CERTIFICATE.finditer(pem)]


def blocks(pem: bytes) -> str:
    """The PEM blocks alone, without the text between them."""
    return "\n".join(block[0].decode("ascii", "replace") for block in _BLOCK.finditer(pem))


def common_name(name: DistinguishedName) -> str:
    """The common name in a distinguished name, else the last of its values; "" for an empty one."""
    values = [value for kind, value in name if kind == COMMON_NAME] or [value for _, value in name]
    return values[-1] if values else ""


def same_name(first: DistinguishedName, second: DistinguishedName) -> bool:
    """Whether two distinguished names are equal; case and repeated blanks do not count (RFC 5280 7.1)."""
    return first == second or _folded(first) == _folded(second)


def _folded(name: DistinguishedName) -> list[tuple[str, str]]:
    return [(kind, " ".join(value.lower().split())) for kind, value in name]
