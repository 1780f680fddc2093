"""TLS contexts of listeners and of connections to servers, made of bytes: the supervisor read the files, which workers
may not be allowed to read."""

import os
import ssl
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from lbd.errors import LbdError, no_memory_file
from lbd.tls import openssl, tickets
from lbd.tls.pem import Pem, blocks

# For TLS 1.2: forward secrecy and AEAD only. All ciphers of TLS 1.3 are of that kind, and cannot be chosen.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
# The order of a server for TLS 1.3. OpenSSL has 256 bits first, whose SHA-384 makes a handshake a tenth dearer.
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# Of each full handshake of TLS 1.3. A client of HTTP/1.1 that wants more connections at once has as many tickets as it
# had connections; OpenSSL's second one is a twentieth of the handshake.
TICKETS = 1
HTTP = ("http/1.1",)     # the protocol inside, by its name in ALPN (RFC 7301)

# The texts for faults of files, by OpenSSL's reason.
_REASONS = {
    "KEY_VALUES_MISMATCH": "the private key is of another certificate",
    "PEM_LIB": "its private key is damaged",
    "BAD_END_LINE": "it ends within a key or certificate",
    "BAD_BASE64_DECODE": "it is damaged",
    "EE_KEY_TOO_SMALL": "its key is too short to be safe",
    "CA_MD_TOO_WEAK": "its signature is too weak to be safe",
}


class ServerTls:
    """The certificates of a listener: a client gets the one for the name that it asks for, else the first. Of several
    for the same names with keys of different kinds (ECDSA and RSA), it gets one that it can check.

    `shared`: session tickets are those of all workers. `strict`: a client that asks for no name, or for one that no
    certificate has, is refused. `partial`: an authority of `client_ca` need not be a root. Raises `LbdError` naming the
    file.
    """

    def __init__(self, pems: Sequence[Pem], *, min_version: str = "1.2", ciphers: str | None = None,
                 client_ca: bytes = b"", named: Sequence[bytes] = (), required: bool = True, keys: bytes = b"",
                 alpn: Sequence[str] = HTTP, strict: bool = False, partial: bool = False) -> None:
        self._exact: dict[str, ssl.SSLContext] = {}
        self._below: dict[str, ssl.SSLContext] = {}
        self.shared = bool(keys)
        made = []
        kinds: dict[frozenset[str], dict[str, ssl.SSLContext]] = {}
        for pem in pems:
            about = pem.facts
            same = kinds.setdefault(frozenset(about.names), {})
            if same and about.key_algorithm not in same:
                same[about.key_algorithm] = next(iter(same.values()))
                _load(same[about.key_algorithm], pem, "certificates")
                continue
            context = _context(ssl.PROTOCOL_TLS_SERVER, min_version, ciphers or CIPHERS, alpn)
            _load(context, pem, "certificates")
            if client_ca:
                _trust_authorities(context, client_ca, "client_ca", partial)
                openssl.name_authorities(context, named)
                context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
            same.setdefault(about.key_algorithm, context)
            self._name(context, about.names)
            made.append(context)
        if not made:
            raise LbdError("certificates: there is none")
        self.context = made[0]
        self._strict = strict
        self.context.sni_callback = self._choose_context
        if keys:
            # OpenSSL uses the ticket keys of the context that a connection began with.
            self.shared = tickets.share(self.context, keys)

    def _name(self, context: ssl.SSLContext, names: Sequence[str]) -> None:
        for name in names:
            if name.startswith("*."):
                self._below.setdefault(name[2:], context)
            else:
                self._exact.setdefault(name, context)

    def context_for(self, name: str) -> ssl.SSLContext | None:
        """The context for a client that asks for this host name; None: no certificate is for it.

        A dot at its end is none of the name (RFC 6066 3 forbids it, some clients send it).
        """
        name = name.lower().removesuffix(".")
        return self._exact.get(name) or self._below.get(name.partition(".")[2])

    def _choose_context(self, tls: Any, name: str | None, context: ssl.SSLContext) -> int | None:
        tls.requested_name = name
        wanted = self.context_for(name) if name is not None else None
        if wanted is not None:
            if wanted is not context:
                tls.context = wanted
        elif self._strict:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None


class ClientTls:
    """The TLS of connections to one server: `name` is sent and checked, `session` resumes the last session.

    `lenient`: the server may end a connection without close_notify (RFC 8446 6.1). `by_request`: `name` is for requests
    that say none of their own.
    """

    __slots__ = ("by_request", "context", "lenient", "name", "session")

    def __init__(self, context: ssl.SSLContext, name: str | None, lenient: bool = False,
                 by_request: bool = False) -> None:
        self.by_request = by_request
        self.context = context
        self.name = name
        self.lenient = lenient
        self.session: ssl.SSLSession | None = None


# The system's authorities take 20 ms to read, and memory; sessions belong to their context.
_shared: WeakValueDictionary[tuple[object, ...], ssl.SSLContext] = WeakValueDictionary()


def client_context(verify: bool = True, ca: bytes = b"", pem: Pem | None = None, min_version: str = "1.2",
                   alpn: tuple[str, ...] = HTTP, partial: bool = False) -> ssl.SSLContext:
    """The context of connections to servers, shared by all that have the same settings; raises `LbdError`."""
    key = verify, ca, pem, min_version, alpn, partial
    context = _shared.get(key)
    if context is None:
        context = _shared[key] = new_client_context(*key)
    return context


def new_client_context(verify: bool = True, ca: bytes = b"", pem: Pem | None = None, min_version: str = "1.2",
                       alpn: tuple[str, ...] = HTTP, partial: bool = False) -> ssl.SSLContext:
    """A context of its own for connections to servers; raises `LbdError`."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, min_version, None, alpn)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca:
        _trust_authorities(context, ca, "ca", partial)
    else:
        context.load_default_certs()
    if pem is not None:
        _load(context, pem, "certificate")
    return context


def _context(protocol: int, min_version: str, ciphers: str | None, alpn: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = VERSIONS[min_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if ciphers is not None:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError as error:
            raise LbdError(f'ciphers: "{ciphers}": OpenSSL knows no such cipher') from error
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        openssl.order_suites(context, SUITES)
        context.num_tickets = TICKETS
    if alpn:
        context.set_alpn_protocols(list(alpn))
        if protocol == ssl.PROTOCOL_TLS_SERVER:
            openssl.select(context, alpn)
    return context


def _load(context: ssl.SSLContext, pem: Pem, key: str) -> None:
    """`key` is the one of the configuration, which errors begin with."""
    if b"PRIVATE KEY-----" not in pem.whole:
        raise LbdError(f"{key}: {pem.path}: it holds no private key (-----BEGIN PRIVATE KEY-----); "
                       "put its key into a file beside it, of the same name with .key, or write { cert = FILE, key = "
                       "FILE }")
    # The module reads files only, and the key may be readable for root alone: this file has no name and is in memory.
    try:
        fd = os.memfd_create("certificate")
    except OSError as error:
        raise LbdError(f"{key}: {no_memory_file(error)}") from None
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(pem.whole)
        context.load_cert_chain(f"/proc/self/fd/{fd}", password=_no_password)
    except ssl.SSLError as error:
        raise LbdError(f"{key}: {pem.path}: {_reason(error)}") from None
    except (OSError, ValueError) as error:
        raise LbdError(f"{key}: {pem.path}: {error}") from None
    finally:
        os.close(fd)


def _no_password() -> str:
    raise ValueError("its private key is encrypted; lbd cannot ask for a password")


def _trust_authorities(context: ssl.SSLContext, ca: bytes, key: str, partial: bool) -> None:
    try:
        context.load_verify_locations(cadata=blocks(ca))
    except (ssl.SSLError, ValueError) as error:
        raise LbdError(f"{key}: the file holds no certificates ({_reason(error)})") from None
    if partial:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or ("PEM_LIB" if "PEM lib" in str(error) else str(error))
    return _REASONS.get(reason, reason.lower().replace("_", " "))
