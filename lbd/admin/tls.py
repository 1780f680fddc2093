"""TLS of the admin interface: its certificate, and the authorities of client certificates."""

import os
import ssl
from collections.abc import Mapping
from typing import Any

from lbd.config.files import regular
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.schema import AdminTls
from lbd.tls import openssl
from lbd.tls.contexts import HTTP


class AdminTlsContext:
    """A TLS context that follows changes of its files. Raises `LbdError` when they cannot be used at the start."""

    def __init__(self, settings: AdminTls) -> None:
        self._settings = settings
        self._seen = _times(settings.cert, settings.key_file or settings.cert)
        self._trusted = _times(settings.client_ca)
        self.context = _context(settings)

    def has_new_certificate(self) -> bool:
        """Whether the files hold another usable certificate since the last call; may block."""
        self._warn_of_authorities()
        now = _times(self._settings.cert, self._settings.key_file or self._settings.cert)
        if now == self._seen:
            return False
        self._seen = now
        try:
            _context(self._settings)   # first a separate context: a failed load would leave the one in use half changed
        except LbdError as error:
            _refused(error)
            return False
        return True

    def renew(self) -> None:
        """Load the certificate that `has_new_certificate` has read; an unusable one leaves the old one in force."""
        try:
            _certify(self.context, self._settings)
            logger.info("admin certificate renewed", file=self._settings.cert)
        except LbdError as error:
            _refused(error)

    def _warn_of_authorities(self) -> None:
        """Warn once of changed client authorities: a context cannot forget the old ones without a restart."""
        now = _times(self._settings.client_ca)
        if now != self._trusted:
            self._trusted = now
            logger.warning("change takes effect only after a restart", key="admin.tls.client_ca",
                           file=self._settings.client_ca)


def _refused(error: LbdError) -> None:
    logger.error("admin certificate not renewed; the one before stays", reason=str(error))


def _times(*files: str | None) -> list[tuple[int, int]]:
    """Time of the last change and inode of each file."""
    found = []
    for file in filter(None, files):
        try:
            about = os.stat(file)
            found.append((about.st_mtime_ns, about.st_ino))
        except OSError:
            found.append((0, 0))
    return found


def subject(certificate: Mapping[str, Any] | None) -> str:
    """The common name of a client certificate as `getpeercert` returns it, "" without one."""
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return ""


def _context(settings: AdminTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(HTTP)
    openssl.select(context, HTTP)
    _certify(context, settings)
    if settings.client_ca is not None:
        from lbd.tls.certificate import authorities  # late: cryptography, which only this needs
        try:
            regular(settings.client_ca)
            context.load_verify_locations(settings.client_ca)
            with open(settings.client_ca, "rb") as file:
                openssl.name_authorities(context, authorities(file.read()))
        except (OSError, ssl.SSLError) as error:
            raise LbdError(f"admin.tls.client_ca: {settings.client_ca}: {_reason(error)}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _certify(context: ssl.SSLContext, settings: AdminTls) -> None:
    try:
        for file in filter(None, (settings.cert, settings.key_file)):
            regular(file)
        context.load_cert_chain(settings.cert, settings.key_file, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        files = f"{settings.cert}{f' and {settings.key_file}' if settings.key_file else ''}"
        raise LbdError(f"admin.tls.cert: {files}: {_reason(error)}") from None


def _no_password() -> str:
    """Refuse keys with a password: OpenSSL would ask for it on the terminal."""
    raise ssl.SSLError("the private key wants a password; lbd takes only one without")


_WORDS = {"KEY_VALUES_MISMATCH": "the private key belongs to another certificate",
          None: "it is not in PEM form, or lacks the certificate or its key"}


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return _WORDS.get(error.reason, error.reason or "")
    return error.strerror or str(error)
