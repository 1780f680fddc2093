"""Findings about the TLS files of a configuration: those that cannot be used, and those that peers may reject."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence

from lbd.admin.tls import AdminTlsContext
from lbd.config.document import DocumentError, fetch
from lbd.config.places import Path
from lbd.config.reader import Loaded
from lbd.errors import LbdError, Problem
from lbd.generation.certificates import Certificates
from lbd.tls.certificate import facts_of_all, load_pem
from lbd.tls.chain import expired, faults, unfinished
from lbd.tls.credentials import Credentials
from lbd.tls.pem import CertificateFacts


def certificates(loaded: Loaded) -> list[Problem]:
    """Problems of the TLS files. An unreadable one is a warning, since the daemon may run as another user."""
    config = loaded.config
    parts = [(("listeners", name, "tls"), dataclasses.replace(config, listeners={name: listener}, backends={}))
             for name, listener in config.listeners.items()]
    parts += [(("backends", name, "tls"), dataclasses.replace(config, listeners={}, backends={name: backend}))
              for name, backend in config.backends.items()]
    problems = []
    read: list[tuple[Path, Credentials]] = []
    for path, part in parts:
        try:
            read += ((path, given) for given in Certificates().read_all(part).values())
        except LbdError as error:
            key, _, message = str(error).partition(": ")
            problems.append(loaded.problem((*path, key.rpartition(".")[2]), message, "Permission denied" in message))
    known: list[CertificateFacts] = []
    for _, given in read:
        with contextlib.suppress(ValueError):
            known += facts_of_all(given.authorities)
    for place, given in read:
        problems += [loaded.problem((*place, key), text, True)
                     for key, text in chains(place, given, known, time.time())]
    return problems


def chains(path: Path, given: Credentials, known: Sequence[CertificateFacts], now: float) -> Iterator[tuple[str, str]]:
    """Problems of certificates that OpenSSL accepts and peers may reject, each with its key."""
    shown, believed = ("certificates", "client_ca") if path[0] == "listeners" else ("certificate", "ca")
    try:
        for pem in given.pems:
            key, file = shown, pem.path
            for text in faults(pem.chain, now):
                yield key, f"{file} {text}"
            # What servers know of their clients' authorities is their own matter.
            if path[0] == "listeners" and (text := unfinished(pem.chain, known)):
                yield key, f"{file} {text}"
        key, file = believed, "the file"
        for text in expired(given.authorities, now):
            yield key, f"{file} {text}"
    except ValueError as error:
        yield key, f"{file} {error}"


def admin_certificate(loaded: Loaded) -> list[Problem]:
    """Problems of the TLS files of the admin interface."""
    settings = loaded.config.admin.tls
    path: Path = ("admin", "tls")
    if settings is None:
        return []
    try:
        AdminTlsContext(settings)
        given = Credentials((load_pem(settings.cert, fetch(settings.cert), setting="admin.tls.cert"),),
                            fetch(settings.client_ca) if settings.client_ca is not None else b"")
    except LbdError as error:
        key, _, message = str(error).partition(": ")
        return [loaded.problem((*path, key.rpartition(".")[2]), message, "Permission denied" in message)]
    except DocumentError:
        return []       # a rule has said so
    known: list[CertificateFacts] = []
    with contextlib.suppress(ValueError):
        known = facts_of_all(given.authorities)
    return [loaded.problem((*path, "cert" if key == "certificates" else key), text, True)
            for key, text in chains(("listeners",), given, known, time.time())]
