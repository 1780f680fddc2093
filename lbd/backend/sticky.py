"""Stickiness by cookie: a client returns to its server, which an opaque token names that only lbd can make.

A token is a keyed hash (HMAC-SHA256) of backend and server name: it shows no address, cannot be forged, is the same in
every worker and after every restart, and is looked up in a table, so that no hash is computed per request.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Sequence

from lbd import schema
from lbd.backend.server import Server

TOKEN_BYTES = 18      # 144 bits: 24 characters, no padding


def token(secret: bytes, backend: str, server: str) -> bytes:
    """The cookie value that stands for a server."""
    text = f"{backend}\0{server}".encode()
    return urlsafe_b64encode(hmac.digest(secret, text, hashlib.sha256)[:TOKEN_BYTES])


class Stickiness:
    """The cookies of one backend in one generation. `passed`: servers get them too."""

    def __init__(self, backend: str, settings: schema.Sticky, secret: bytes,
                 servers: Collection[Server]) -> None:
        self.cookie = settings.cookie.encode()
        self.passed = settings.pass_cookie
        self.servers: dict[bytes, Server] = {}
        self._tokens = {server.name: token(secret, backend, server.name) for server in servers}
        ends = attributes(settings)
        self._lines = {name: b"Set-Cookie: %b=%b%b\r\n" % (self.cookie, value, ends)
                       for name, value in self._tokens.items()}
        self.follow(servers)

    def follow(self, servers: Iterable[Server]) -> None:
        """Take over the servers that there are now: the same names, maybe at other addresses."""
        self.servers = {self._tokens[server.name]: server for server in servers}

    def find(self, value: bytes) -> Server | None:
        """The server that a cookie names, while it keeps its clients."""
        server = self.servers.get(value)
        return server if server is not None and server.keeps_clients() else None

    def line(self, server: Server) -> bytes:
        """The field that gives a client the cookie of a server, with its line end; b"" for one that is not known."""
        return self._lines.get(server.name, b"")


def stays(own: Server | None, server: Server, tried: Sequence[Server] | None) -> bool:
    """A client whose request goes to `server` belongs to its `own` one as before: that one is well, and did not fail
    the request."""
    return own is not None and (own is server or (own.keeps_clients() and own not in (tried or ())))


def attributes(settings: schema.Sticky) -> bytes:
    """The attributes after the value in Set-Cookie (RFC 6265 4.1)."""
    parts: Sequence[str] = [
        f"Path={settings.path}",
        f"Domain={settings.domain}" if settings.domain else "",
        f"Max-Age={int(settings.max_age)}" if settings.max_age is not None else "",
        f"SameSite={settings.same_site}",
        "HttpOnly" if settings.http_only else "",
        "Secure" if settings.secure else "",
    ]
    return "".join(f"; {part}" for part in parts if part).encode()
