"""The keys of TLS: of listeners towards clients, and of backends towards servers."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbd.schema import units as u
from lbd.schema.keys import REQUIRED, key
from lbd.schema.kinds import ValueKind, many
from lbd.wording import type_of


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with the chain behind it, and its private key; `key` is empty where one file holds both."""

    cert: str
    key: str = ""


def _pair(value: Any) -> Pair:
    if not isinstance(value, Mapping):
        return Pair(u.FILE.parse(value))
    if unknown := [name for name in value if name not in ("cert", "key")]:
        raise ValueError(f'has an unknown key "{unknown[0]}" (known here: cert, key)')
    if missing := [name for name in ("cert", "key") if name not in value]:
        raise ValueError(f'lacks the key "{missing[0]}"')
    try:
        return Pair(u.FILE.parse(value["cert"]), u.FILE.parse(value["key"]))
    except ValueError as error:
        raise ValueError(f"has a cert or key that {error}") from None


def _settle(pair: Pair, directory: str) -> Pair:
    assert u.FILE.settle is not None
    return Pair(*(u.FILE.settle(path, directory) if path else "" for path in (pair.cert, pair.key)))


def _write(pair: Pair) -> str | dict[str, str]:
    return {"cert": pair.cert, "key": pair.key} if pair.key else pair.cert


def _bool_or_port(value: Any) -> int:
    if isinstance(value, bool):
        return 443 if value else 0
    if not isinstance(value, int):
        raise ValueError(f"is {type_of(value)}")
    if not 1 <= value <= 65535:
        raise ValueError("is no port")
    return value


_FILES = {"type": "string", "minLength": 1}
_PAIRS: dict[str, Any] = {"anyOf": [_FILES, {
    "type": "object", "properties": {"cert": _FILES, "key": _FILES}, "required": ["cert", "key"],
    "additionalProperties": False}]}

CERTIFICATE = ValueKind("certificate", "a PEM file with chain and key, or { cert = FILE, key = FILE }", _pair, _PAIRS,
                        empty=Pair(""), settle=_settle, write=_write)
CERTIFICATES = dataclasses.replace(
    many(CERTIFICATE, "PEM files with chain and key (globs allowed), or { cert = FILE, key = FILE }"),
    write=lambda pairs: [_write(pair) for pair in pairs])
VERSION = u.choice("1.2", "1.3")
HTTPS = ValueKind("https", "true, false, or the port of https", _bool_or_port,
                  {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 1, "maximum": 65535}]}, empty=0,
                  write=lambda port: port if port not in (0, 443) else port == 443)


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """[listeners.NAME.tls]: the connections are TLS, which ends here."""

    certificates: tuple[Pair, ...] = key(
        REQUIRED, CERTIFICATES, "PEM files (globs allowed) with the chain, and with the key or a .key file beside it, "
        "or { cert = …, key = … }; the first is for names that none has", example=["/etc/lbd/certs/*.pem"])
    strict_sni: bool = key(False, u.BOOL, "refuse clients that ask for no name, or for one that no certificate has")
    alpn: tuple[str, ...] | None = key(
        None, u.ALPN, "protocols to agree on by ALPN, the best first; who offers none of them is refused, who offers "
        "nothing is not; default: http/1.1 in http, no ALPN in tcp", example=["postgresql"])
    min_version: str = key("1.2", VERSION, "oldest version of TLS that is accepted: 1.2 or 1.3")
    ciphers: str | None = key(None, u.LINE, "OpenSSL's list of ciphers for TLS 1.2; default: AEAD with forward secrecy",
                              example="ECDHE+AESGCM:ECDHE+CHACHA20")
    handshake_timeout: float = key("10s", u.duration(0.001), "from the connection to the end of the handshake")
    client_ca: str | None = key(None, u.FILE, "PEM file of the authorities whose client certificates are asked for",
                                example="/etc/lbd/clients.pem")
    verify: str = key("required", u.choice("required", "optional"),
                      "with client_ca: refuse clients without a certificate, or take them too")
    partial_chain: bool = key(False, u.BOOL, "with client_ca: an intermediate authority there is believed without its "
                              "root")
    hsts: float | None = key(None, u.duration(1.0), "max-age of Strict-Transport-Security in responses; default: none",
                             example="365d")


@dataclass(frozen=True, slots=True)
class BackendTls:
    """[backends.NAME.tls]: connections to the servers, and their checks, are TLS; `true` stands for all defaults."""

    verify: bool = key(True, u.BOOL, "the server's certificate must be valid, and be for its name")
    ca: str | None = key(None, u.FILE, "PEM file of the authorities to believe; default: the system's",
                         example="/etc/lbd/ca.pem")
    partial_chain: bool = key(False, u.BOOL, "with ca: an intermediate authority there is believed without its root")
    server_name: str | None = key(
        None, u.SERVER_NAME, 'name to ask for (SNI) and to check; "{host}": the Host of each request; default: the '
        "server's host", example="app.internal")
    certificate: Pair | None = key(None, CERTIFICATE, "shown to servers that ask for one: PEM file with chain and key, "
                                   "or { cert = …, key = … }", example="/etc/lbd/client.pem")
    min_version: str = key("1.2", VERSION, "oldest version of TLS that is accepted: 1.2 or 1.3")
    close_notify: str = key("require", u.choice("require", "optional"),
                            "end of TLS behind a body that ends with the connection; optional: a cut may go unseen")
