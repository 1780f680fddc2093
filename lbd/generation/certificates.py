"""The files of TLS: read by the supervisor, which may have rights that its workers lack, and tried before use."""

import glob
import hashlib
import os
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from lbd.config.files import fetch
from lbd.errors import LbdError
from lbd.generation.file_watch import Print, fingerprint, is_pattern
from lbd.health.check import Secured
from lbd.log.logger import logger
from lbd.proxy.tls import backend_context, make_client_context, make_server_tls, server_name, uses_tls
from lbd.schema import BackendConfig, BackendTls, Config, ListenerConfig, ListenerTls
from lbd.schema.tls import Pair
from lbd.schema.units import Address
from lbd.tls import tickets
from lbd.tls.credentials import Credentials, Place
from lbd.tls.pem import Pem

LARGEST = 2**20       # bytes of one file
MOST = 10_000         # files of one pattern
SOON = 14 * 86400     # seconds before its end from which a certificate is warned of
ROTATION = 12 * 3600  # seconds after which session tickets get other keys


class Shown(NamedTuple):
    """A certificate in force: its place, its file, its names, and its end (Unix time)."""

    place: Place
    path: str
    names: tuple[str, ...]
    ends: int


Known = tuple[ListenerTls | BackendTls, Credentials, Print]   # settings, the content of their files, and their prints


class TlsFindings(NamedTuple):
    """The result of reading the files, by place: the good ones, and why the others are not in force."""

    good: dict[Place, Known]
    refused: dict[Place, str]


class Certificates:
    """The credentials of the last good files. `refused` says for listeners and backends why their files as they are now
    are not in force."""

    def __init__(self) -> None:
        self.refused: dict[Place, str] = {}
        self._good: dict[Place, Known] = {}
        self._contexts: dict[Place, tuple[BackendTls, Credentials, ssl.SSLContext | None]] = {}   # of checks
        self._secret = secrets.token_bytes(32)
        self._rotated = time.monotonic()
        self._warned: dict[Shown, float] = {}

    def read_all(self, config: Config) -> dict[Place, Credentials]:
        """Read all credentials that the configuration names. A file that is broken or gone leaves its former content in
        force; raises `LbdError` where there is none."""
        return self.accept_findings(self.read_files(config))

    @property
    def accepted(self) -> TlsFindings:
        """The findings that are accepted now, for `restore`."""
        return TlsFindings(self._good, self.refused)

    def restore(self, accepted: TlsFindings) -> None:
        """Go back to these findings: those accepted since are of a configuration that was refused."""
        self._good, self.refused = accepted

    def accept_findings(self, findings: TlsFindings) -> dict[Place, Credentials]:
        """Take over the result of `read_files`; returns all credentials that its configuration names."""
        self._good = {**self._good, **findings.good}
        self.refused = findings.refused
        return {place: known[1] for place, known in findings.good.items()}

    def read_files(self, config: Config) -> TlsFindings:
        """Read the files, which may block, and change nothing: for a thread of its own. Raises `LbdError`."""
        good: dict[Place, Known] = {}
        refused: dict[Place, str] = {}
        for place, settings, tls in _wanted(config):
            known = self._good.get(place)
            seen = fingerprint(_files(tls))
            if known is not None and known[0] == tls and known[2] == seen:
                # Not read again: a file that root could read at the start may be closed to lbd now.
                good[place] = tls, self._keyed(place, tls, known[1]), seen
                if place in self.refused:
                    refused[place] = self.refused[place]
                continue
            try:
                given = self._keyed(place, tls, _listener(tls) if isinstance(tls, ListenerTls) else _backend(tls))
                if known is None or known[1] != given:
                    _judge(settings, given)
            except LbdError as error:
                if known is None or known[0] != tls:
                    raise LbdError(f"{'.'.join(place)}.tls.{error}") from None
                refused[place] = str(error)
                if self.refused.get(place) != str(error):
                    logger.error("certificate refused; the one before stays in force", at=".".join(place),
                                 reason=str(error))
                given = self._keyed(place, tls, known[1])
            good[place] = tls, given, seen
        return TlsFindings(good, refused)

    def client_tls(self, name: str, backend: BackendConfig, address: Address, host: str) -> Secured | None:
        """The TLS of checks of a server of this host at this address; None: without TLS."""
        if not uses_tls(backend, address):
            return None
        place, settings = ("backends", name), backend.tls or BackendTls()
        given = self._good[place][1] if place in self._good else Credentials()
        made = self._contexts.get(place)
        if made is None or made[:2] != (settings, given):
            made = self._contexts[place] = settings, given, backend_context(name, backend, {place: given})
        context = made[2]
        return (context, server_name(backend, host) or "") if context is not None else None

    def rotate(self) -> bool:
        """Make other keys of session tickets when it is time; true when that was done."""
        if time.monotonic() - self._rotated < ROTATION:
            return False
        self._secret, self._rotated = secrets.token_bytes(32), time.monotonic()
        return True

    def warn(self, shown: Iterator[Shown], now: float) -> None:
        """Log once a day each certificate that ends soon, or has ended."""
        for certificate in shown:
            if certificate.ends - now < SOON and abs(now - self._warned.get(certificate, 0.0)) >= 86400:
                self._warned[certificate] = now
                days = int((certificate.ends - now) // 86400)
                logger.warning("certificate has expired" if days < 0 else "certificate expires soon",
                               at=".".join(certificate.place), file=certificate.path, names=certificate.names[:10],
                               days=days)

    def _keyed(self, place: Place, tls: ListenerTls | BackendTls, given: Credentials) -> Credentials:
        """Add the keys of session tickets as they are now."""
        if not isinstance(tls, ListenerTls):
            return given
        # Other keys for every listener: no session may pass for one with a client's certificate at another listener.
        policy = f"{place[1]}\0{tls.verify}\0{tls.partial_chain}\0".encode() + given.authorities
        return replace(given, keys=hashlib.shake_256(self._secret + policy).digest(tickets.SIZE))


def shown(credentials: Mapping[Place, Credentials]) -> Iterator[Shown]:
    """Every certificate in force."""
    for place, given in credentials.items():
        for pem in given.pems:
            yield Shown(place, pem.path, pem.facts.names, pem.facts.ends)


def files(config: Config) -> list[str]:
    """The files and patterns to watch."""
    return list(dict.fromkeys(path for _, _, tls in _wanted(config) for path in _files(tls)))


def places(config: Config) -> list[Place]:
    """The listeners and backends that speak TLS."""
    return [place for place, _, _ in _wanted(config)]


def _files(tls: ListenerTls | BackendTls) -> list[str]:
    pairs = tls.certificates if isinstance(tls, ListenerTls) else (tls.certificate,)
    found: list[str | None] = []
    for pair in filter(None, pairs):
        found += [pair.cert, *([pair.key] if pair.key else _beside(pair.cert))]
    found.append(tls.client_ca if isinstance(tls, ListenerTls) else tls.ca)
    return [path for path in found if path]


def _wanted(config: Config) -> Iterator[tuple[Place, ListenerConfig | BackendConfig, ListenerTls | BackendTls]]:
    for name, listener in config.listeners.items():
        if listener.tls is not None:
            yield ("listeners", name), listener, listener.tls
    for name, backend in config.backends.items():
        if any(uses_tls(backend, server.address) for server in backend.servers.values()):
            yield ("backends", name), backend, backend.tls or BackendTls()


def _listener(tls: ListenerTls) -> Credentials:
    from lbd.tls.certificate import authorities  # late: cryptography, which a daemon without TLS needs not
    believed = _fetch(tls.client_ca, "client_ca") if tls.client_ca is not None else b""
    return Credentials(tuple(pem for pair in tls.certificates for pem in _pems(pair, "certificates")), believed,
                       named=authorities(believed))


def _backend(tls: BackendTls) -> Credentials:
    return Credentials(tuple(_pems(tls.certificate, "certificate")) if tls.certificate is not None else (),
                       _fetch(tls.ca, "ca") if tls.ca is not None else b"")


def _judge(settings: ListenerConfig | BackendConfig, given: Credentials) -> None:
    """Raise `LbdError` for credentials that TLS cannot use."""
    if isinstance(settings, ListenerConfig):
        make_server_tls(settings, given)
    else:
        make_client_context(settings, given)


def _pems(pair: Pair, key: str) -> Iterator[Pem]:
    """The certificate, or those of all files that match; each with its key, which may stand in a file beside it.
    `key` is the one of the configuration."""
    if pair.key or not is_pattern(pair.cert):
        yield _pem(pair.cert, pair.key, key)
        return
    paths = sorted(glob.glob(pair.cert, recursive=True))[:MOST]
    if not paths:
        raise LbdError(f"{key}: no file matches {pair.cert}")
    keys = {beside for path in paths for beside in _beside(path) if beside != path}
    for path in paths:
        # A pattern may take the files of the keys too.
        if path not in keys or b"CERTIFICATE-----" in _fetch(path, key):
            yield _pem(path, "", key)


def _pem(path: str, beside: str, key: str) -> Pem:
    from lbd.tls.certificate import load_pem  # late: as above
    chain = _fetch(path, key)
    if not beside and b"PRIVATE KEY-----" not in chain:
        beside = next(filter(os.path.exists, _beside(path)), "")
    return load_pem(path, chain, _fetch(beside, key) if beside else b"", key)


def _beside(path: str) -> tuple[str, str]:
    """The files beside a certificate that may hold its key: `a.key` and `a.pem.key` for `a.pem`."""
    return os.path.splitext(path)[0] + ".key", path + ".key"


def _fetch(path: str, key: str) -> bytes:
    try:
        return fetch(path, LARGEST)
    except OSError as error:
        raise LbdError(f"{key}: cannot read {path}: {error.strerror}") from None
