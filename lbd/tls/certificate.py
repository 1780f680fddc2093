"""Certificates (X.509, RFC 5280) read by the package `cryptography`: for supervisor and commands, not for workers.

The package is stricter than OpenSSL, which serves the files. It refuses defaults that are spelled out (the flag
`critical`, the `cA` of BasicConstraints), as old tools of Java and Windows write them, subjects in Latin-1, and X.400
addresses. A certificate that it refuses is read by the decoder of the `ssl` module, so that a file that was served
goes on being served.
"""

import _ssl
import os
import ssl
import warnings
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.tls.pem import COMMON_NAME, CertificateFacts, DistinguishedName, Pem, certificates

MOST_NAMES = 60_000     # bytes of the authorities' names: a CertificateRequest has room for 2**16 (RFC 8446 4.2.4)

# The errors of the package for a certificate that it refuses, and those of the decoder of `ssl`.
_REFUSED = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
            x509.UnsupportedGeneralNameType)
_UNREADABLE = (OSError, ValueError, KeyError, OverflowError, AttributeError)

# The names that OpenSSL gives to attributes; others keep theirs.
_ATTRIBUTES = {"commonName": NameOID.COMMON_NAME, "countryName": NameOID.COUNTRY_NAME,
               "domainComponent": NameOID.DOMAIN_COMPONENT, "emailAddress": NameOID.EMAIL_ADDRESS,
               "localityName": NameOID.LOCALITY_NAME, "organizationName": NameOID.ORGANIZATION_NAME,
               "organizationalUnitName": NameOID.ORGANIZATIONAL_UNIT_NAME, "serialNumber": NameOID.SERIAL_NUMBER,
               "stateOrProvinceName": NameOID.STATE_OR_PROVINCE_NAME}


def load_pem(path: str, chain: bytes, key: bytes = b"", setting: str = "certificates") -> Pem:
    """A certificate with its private key. `setting` is the configuration key, with which errors begin; raises
    `LbdError`."""
    try:
        return Pem(path, chain, key, facts(chain))
    except ValueError as error:
        raise LbdError(f"{setting}: {path}: it {error}") from None


def facts(pem: bytes) -> CertificateFacts:
    """The facts of the first certificate of a PEM file; raises `ValueError` with the end of a sentence that begins with
    the file."""
    found = _ders(pem)
    if not found:
        raise ValueError("holds no certificate (-----BEGIN CERTIFICATE-----)")
    return _read(found[0])


def facts_of_all(pem: bytes) -> list[CertificateFacts]:
    """The facts of all certificates of a PEM file, in order; raises `ValueError` as `facts` does."""
    return [_read(der) for der in _ders(pem)]


def authorities(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM file in DER, one for each subject: a server sends their names to its clients (RFC 8446
    4.2.4). None where there is no room for so many names."""
    try:
        found = {_subject(der): der for der in _ders(pem)}
    except ValueError:
        return ()       # OpenSSL reads the file itself
    size = sum(len(name) + 2 for name in found)
    if size > MOST_NAMES:
        logger.warning("client_ca has too many authorities to name them to clients", authorities=len(found), bytes=size,
                       most=MOST_NAMES)
        return ()
    return tuple(found.values())


def _ders(pem: bytes) -> list[bytes]:
    try:
        return certificates(pem)
    except ValueError:
        raise ValueError("holds a certificate that cannot be read") from None


def _subject(der: bytes) -> bytes:
    """The subject in DER, else the whole certificate: one that cannot be read equals no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return x509.load_der_x509_certificate(der).subject.public_bytes()
        except _REFUSED:
            return der


def _read(der: bytes) -> CertificateFacts:
    # It warns of serial numbers and subjects that break a rule and do no harm here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _facts(x509.load_der_x509_certificate(der))
        except _REFUSED:
            try:
                return _lenient(der)
            except _UNREADABLE:
                raise ValueError("holds a certificate that cannot be read") from None


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    subject, names = _name(certificate.subject), []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value.get_values_for_type(x509.DNSName)
    return CertificateFacts(_host_names(names, subject), int(certificate.not_valid_before_utc.timestamp()),
                            int(certificate.not_valid_after_utc.timestamp()),
                            certificate.public_key_algorithm_oid.dotted_string, subject, _name(certificate.issuer))


def _name(name: x509.Name) -> DistinguishedName:
    return tuple((attribute.oid.dotted_string, str(attribute.value)) for attribute in name)


def _host_names(names: list[str], subject: DistinguishedName) -> tuple[str, ...]:
    """The alternative names, else the common names of the subject."""
    return tuple(name.lower() for name in names or [value for kind, value in subject if kind == COMMON_NAME])


def _lenient(der: bytes) -> CertificateFacts:
    """The facts as OpenSSL reads them, without the key's algorithm."""
    fd = os.memfd_create("certificate")
    try:
        os.write(fd, ssl.DER_cert_to_PEM_cert(der).encode())
        decode: Any = getattr(_ssl, "_test_decode_cert")  # noqa: B009 -- no stub has it
        about: Mapping[str, Any] = decode(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    subject, issuer = (tuple((_attribute(kind), value) for part in about[side] for kind, value in part)
                       for side in ("subject", "issuer"))
    names = [value for kind, value in about.get("subjectAltName", ()) if kind == "DNS"]
    return CertificateFacts(_host_names(names, subject), ssl.cert_time_to_seconds(about["notBefore"]),
                            ssl.cert_time_to_seconds(about["notAfter"]), "", subject, issuer)


def _attribute(name: str) -> str:
    known = _ATTRIBUTES.get(name)
    return known.dotted_string if known is not None else name
