"""The PROXY header with which a connection to a server begins: it tells the server of its client."""

from typing import Any

from lbd.exchange.streams import Peer
from lbd.net import proxy_header
from lbd.net.ip_addresses import unmapped_text
from lbd.net.proxy_header import (
    ALPN,
    AUTHORITY,
    CERTIFIED,
    CERTIFIED_BEFORE,
    PASSED_ON,
    SSL_CIPHER,
    SSL_NAME,
    SSL_VERSION,
    VERSIONS,
    WITH_SSL,
    End,
    Extra,
    secured,
)

LONGEST = 255       # bytes of a text: of a host name, or of a name in a certificate


def introduction(peer: Peer, version: str) -> bytes:
    """The header for the client: its addresses as they are, or as the proxy before lbd told them; and in version 2
    what lbd knows of its TLS."""
    told, transport = peer.introduced, peer.transport
    if transport is None:
        return b""
    extras = _of_tls(transport.get_extra_info("tls")) if version == "v2" else []
    if told is not None:
        known = {kind for kind, _ in extras}
        extras += [extra for extra in told.extras if extra[0] in PASSED_ON and extra[0] not in known]
        if told.source is not None:
            return proxy_header.write(VERSIONS[version], told.source, told.target, extras)
    source, target = (_end(transport.get_extra_info(name)) for name in ("peername", "sockname"))
    return proxy_header.write(VERSIONS[version], source, target, extras)


def _of_tls(tls: Any) -> list[Extra]:
    """The name that the client asked for, and how its connection is encrypted."""
    if tls is None:
        return []
    about = tls.getpeercert() or {}
    flags = WITH_SSL
    if about:
        flags |= CERTIFIED_BEFORE if tls.session_reused else CERTIFIED | CERTIFIED_BEFORE
    parts = [(SSL_VERSION, tls.version()), (SSL_CIPHER, (tls.cipher() or ("",))[0])]
    names = [value for part in about.get("subject", ()) for kind, value in part if kind == "commonName"]
    parts += [(SSL_NAME, name) for name in names[:1]]
    known = [(AUTHORITY, getattr(tls, "requested_name", None)), (ALPN, tls.selected_alpn_protocol())]
    return [*_texts(known), secured(flags, bool(about), _texts(parts))]


def _texts(given: list[tuple[int, str | None]]) -> list[Extra]:
    return [(kind, text.encode("utf-8", "replace")[:LONGEST]) for kind, text in given if text]


def _end(name: Any) -> End | None:
    """Sockets of other families than IP, and closed ones, have no address to tell."""
    return (unmapped_text(name[0]), name[1]) if isinstance(name, tuple) else None
